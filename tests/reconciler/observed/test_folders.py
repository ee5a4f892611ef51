"""Folders that lie beside each other are opened from their parent, which is opened once."""

import os
from pathlib import Path

import pytest

from reconciler.observed.folders import Neighbours, UnsafeFile


@pytest.fixture
def heroes(tmp_path: Path) -> Path:
    for name in ("dio/a", "dio/b", "rin/a"):
        (tmp_path / "heroes" / name).mkdir(parents=True)
        (tmp_path / "heroes" / name / "note").write_text(name)
    return tmp_path / "heroes"


def num_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_each_of_them_is_the_one_that_was_asked_for_and_none_stays_open(heroes, tmp_path) -> None:
    before, said = num_open(), []
    with Neighbours(tmp_path) as below:
        for name in ("dio/a", "dio/b", "rin/a", "dio/a"):
            with below.open(str(heroes / name)) as folder:
                assert folder.path == heroes / name
                said.append(folder.read("note", 99).decode())
        with pytest.raises(FileNotFoundError):
            below.open(str(heroes / "rin" / "b"))
        with pytest.raises(FileNotFoundError):
            below.open(str(heroes / "leo" / "a"))
    assert said == ["dio/a", "dio/b", "rin/a", "dio/a"]
    assert num_open() == before


@pytest.mark.parametrize("link", ["dio", "dio/a"])
def test_no_link_is_followed_neither_to_the_folder_nor_to_its_parent(heroes, tmp_path, link) -> None:
    (heroes / link).rename(tmp_path / "elsewhere")
    (heroes / link).symlink_to(tmp_path / "elsewhere")
    with Neighbours(tmp_path) as below, pytest.raises(UnsafeFile, match="is a symbolic link"):
        below.open(str(heroes / "dio" / "a"))


def test_nothing_leads_out_of_the_folder(heroes, tmp_path) -> None:
    with Neighbours(tmp_path) as below, pytest.raises(UnsafeFile, match=r"\.\. leaves the folder"):
        below.open(f"{heroes}{os.sep}{os.pardir}")
