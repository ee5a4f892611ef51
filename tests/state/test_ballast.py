"""The ballast takes the room that it says, goes when the disk is full and only then, and never takes a link along."""

import zlib
from pathlib import Path

import pytest

from state.ballast import let_go, make, relieve
from state.inside import InTheWay
from state.layout import Layout

EVERYTHING = 1 << 62
"""More than any disk has free: then every disk is full."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "control").mkdir()
    return Layout(tmp_path)


def test_it_has_its_size_in_bytes_that_no_file_system_makes_smaller(layout: Layout) -> None:
    make(layout.ballast, 3_000_000)

    content = layout.ballast.read_bytes()
    assert len(content) == 3_000_000
    assert len(zlib.compress(content[: 1 << 20], 1)) > 1 << 20
    assert layout.ballast.stat().st_blocks * 512 >= 3_000_000
    assert [path.name for path in layout.ballast.parent.iterdir()] == ["ballast"]


def test_a_full_disk_lets_it_go_and_one_with_room_does_not(layout: Layout) -> None:
    make(layout.ballast, 5000)

    assert relieve(layout, 0) == 0
    assert layout.ballast.exists()
    assert relieve(layout, EVERYTHING) == 5000
    assert not layout.ballast.exists()
    assert relieve(layout, EVERYTHING) == 0


def test_what_is_no_plain_file_stays(layout: Layout, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.write_text("somebody else's")
    layout.ballast.symlink_to(film)

    with pytest.raises(
        InTheWay, match=r"control/ballast: is a symbolic link \(not followed\) where a plain file belongs"
    ):
        let_go(layout.ballast)
    assert relieve(layout, EVERYTHING) == 0
    assert film.read_text() == "somebody else's"
    assert layout.ballast.is_symlink()


def test_a_root_that_is_not_there_yet_has_none(tmp_path: Path) -> None:
    assert relieve(Layout(tmp_path / "root"), EVERYTHING) == 0
