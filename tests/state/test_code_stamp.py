"""What tells the caches of one version of the code from those of another."""

import os
from pathlib import Path
from types import ModuleType

import pytest

from state.code_stamp import code_stamp

stamp = code_stamp.__wrapped__
"""Without its memory: the code of a process does not change."""


@pytest.fixture
def package(tmp_path: Path) -> ModuleType:
    file = tmp_path / "contract" / "orders.py"
    file.parent.mkdir()
    file.write_text("a = 1\n")
    module = ModuleType("package")
    module.__file__ = str(tmp_path / "__init__.py")
    return module


def test_the_stamp_of_the_code_changes_with_a_file(package: ModuleType, tmp_path: Path) -> None:
    before = stamp(package)
    assert before == stamp(package)
    (tmp_path / "contract" / "orders.py").write_text("a = 12\n")
    assert stamp(package) != before


def test_the_stamp_changes_with_the_time_of_a_file_of_the_same_size(
    package: ModuleType, tmp_path: Path
) -> None:
    before = stamp(package)
    os.utime(tmp_path / "contract" / "orders.py", ns=(1, 1))
    assert stamp(package) != before


def test_the_stamp_does_not_change_with_what_is_no_code(package: ModuleType, tmp_path: Path) -> None:
    before = stamp(package)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "orders.py").write_text("")
    (tmp_path / "README.md").write_text("")
    assert stamp(package) == before
