"""A module is found with few calls, and is the same module as Python itself would have found."""

import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = str(Path(__file__).resolve().parents[3])
PROGRAM = """
import sys
from reconciler.cli.quick_imports import import_quickly
import_quickly()
from box import thing
print(thing.NUMBER, type(thing.__loader__).__module__.rpartition(".")[2], end=" ")
"""


@pytest.fixture
def thing(tmp_path: Path) -> Path:
    """A module in a package, compiled."""
    package = tmp_path / "box"
    package.mkdir()
    (package / "__init__.py").write_text("")
    file = package / "thing.py"
    file.write_text("NUMBER = 1\n\n\ndef fall():\n    raise KeyError\n")
    py_compile.compile(str(file), doraise=True)
    return file


def said(thing: Path, more: str = "", *options: str) -> str:
    """Return what a fresh interpreter prints that imports it."""
    done = subprocess.run(
        [sys.executable, *options, "-c", PROGRAM + more],
        env={"PYTHONPATH": f"{CHECKOUT}:{thing.parents[1]}"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_compiled_module_is_found_by_us(thing: Path) -> None:
    assert said(thing) == "1 quick_imports"


def test_it_knows_its_file_its_source_and_its_lines(thing: Path) -> None:
    more = (
        "import inspect, linecache, traceback\n"
        "print(thing.__file__, thing.__cached__ == thing.__spec__.cached, inspect.getsource(thing)[:10], end=' ')\n"
        "try:\n    thing.fall()\nexcept KeyError as error:\n"
        "    print(traceback.extract_tb(error.__traceback__)[-1].line)\n"
    )
    assert said(thing, more) == f"1 quick_imports {thing} True NUMBER = 1 raise KeyError"


def test_a_source_that_changed_since_is_left_to_python(thing: Path) -> None:
    thing.write_text("NUMBER = 22\n")
    assert said(thing) == "22 _frozen_importlib_external"


def test_a_source_of_the_same_size_and_another_time_is_left_to_python(thing: Path) -> None:
    status = thing.stat()
    thing.write_text(thing.read_text().replace("1", "2"))
    os.utime(thing, (status.st_atime, status.st_mtime + 5))
    assert said(thing) == "2 _frozen_importlib_external"


def test_what_was_compiled_elsewhere_is_left_to_python(thing: Path, tmp_path: Path) -> None:
    """Its tracebacks would name the other place."""
    copy = shutil.copytree(thing.parent, tmp_path / "later" / "box")  # with the times of its files
    assert said(copy / "thing.py") == "1 _frozen_importlib_external"


def test_damaged_bytes_and_no_compiled_file_are_left_to_python(thing: Path) -> None:
    compiled = next((thing.parent / "__pycache__").glob("thing.*"))
    compiled.write_bytes(b"\0" * 100)
    assert said(thing) == "1 _frozen_importlib_external"
    compiled.unlink()
    assert said(thing) == "1 _frozen_importlib_external"


def test_a_module_can_be_loaded_again(thing: Path) -> None:
    more = (
        "import importlib, pathlib\n"
        "file = pathlib.Path(thing.__file__)\n"
        "file.write_text('NUMBER = 333\\n')\n"
        "print(importlib.reload(thing).NUMBER)\n"
    )
    assert said(thing, more) == "1 quick_imports 333"


@pytest.mark.parametrize("option", ["-B", "-O"])
def test_python_that_was_told_otherwise_finds_everything_itself(thing: Path, option: str) -> None:
    assert said(thing, "", option) == "1 _frozen_importlib_external"
