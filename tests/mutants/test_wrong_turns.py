"""Every wrong turn of an earlier system, taken again in a copy of this one, makes the test fail that guards it."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from wrong_turns import WRONG_TURNS, WrongTurn

CHECKOUT = Path(__file__).resolve().parents[2]
FAILED = 1
"""What pytest returns when tests failed, and not when it could not begin."""


def names(turn: WrongTurn) -> str:
    return turn.turn.replace(" ", "-")


@pytest.mark.parametrize("turn", WRONG_TURNS, ids=names)
def test_each_wrong_turn_is_one_edit_of_the_code_and_named_by_its_test(turn: WrongTurn) -> None:
    assert (CHECKOUT / turn.file).read_text().count(turn.old) == 1, f"{turn.file}: not once: {turn.old}"
    path, _, test = turn.test.partition("::")
    tree = ast.parse((CHECKOUT / path).read_text())
    (found,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == test)
    words = " ".join((ast.get_docstring(found) or "").split())
    assert turn.turn.partition(",")[0] in words, f"{turn.test}: its docstring does not name the wrong turn"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a copy of this checkout, in which all these tests pass."""
    top = tmp_path_factory.mktemp("mutants") / CHECKOUT.name
    for name in ("reconciler", "state", "trainer", "tests", "specs", "schemas"):
        shutil.copytree(CHECKOUT / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", top)
    if (shared := CHECKOUT.parent / "shared").is_dir():
        (top.parent / "shared").symlink_to(shared)
    done = run_tests(top, *sorted({turn.test for turn in WRONG_TURNS}))
    assert done.returncode == 0, done.stdout + done.stderr
    yield top
    shutil.rmtree(top.parent, ignore_errors=True)


def run_tests(top: Path, *tests: str) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-x",
        "-n",
        "0",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
    ]
    environment = {**os.environ, "PYTHONPATH": str(top)}
    return subprocess.run(
        [*command, *tests], cwd=top, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("turn", WRONG_TURNS, ids=names)
def test_a_wrong_turn_taken_again_makes_the_test_fail_that_guards_it(turn: WrongTurn, copy: Path) -> None:
    file = copy / turn.file
    before = file.read_text()
    file.write_text(before.replace(turn.old, turn.new))
    try:
        done = run_tests(copy, turn.test)
    finally:
        file.write_text(before)
    assert done.returncode == FAILED, done.stdout + done.stderr
