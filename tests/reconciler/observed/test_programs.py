"""Whether a skill's program can be started, found out without running it."""

import os
from pathlib import Path

import pytest

from reconciler.observed.programs import why_not_startable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, mode in (("good", 0o755), ("plain", 0o644)):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(mode)
    return tmp_path


def test_python_and_what_is_executable_can_be_started(folder: Path) -> None:
    assert why_not_startable("python", folder, "") is None
    assert why_not_startable("./good", folder, "") is None
    assert why_not_startable(str(folder / "good"), Path("/"), "") is None
    assert why_not_startable("good", Path("/"), f"/nonexistent{os.pathsep}{folder}") is None


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("absent", "there is no program absent in PATH"),
        ("plain", "there is no program plain in PATH"),
        ("./plain", "./plain is not executable"),
        ("/nonexistent/tool", "there is no program /nonexistent/tool"),
        ("/", "/ is not executable"),
    ],
)
def test_what_cannot_be_started_is_named(folder: Path, program: str, why: str) -> None:
    assert why_not_startable(program, folder, str(folder)) == why


def test_a_relative_program_is_named_with_the_place_where_it_is_looked_for(folder: Path) -> None:
    assert why_not_startable("bin/x", folder, "") == f"there is no program bin/x ({folder}/bin/x)"
