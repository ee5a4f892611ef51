"""Below a root nothing is written, moved or removed through a link, and nothing waits for a pipe."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from state import atomic
from state.inside import InTheWay, open_file, read_end, read_file, stay_inside


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Fail instead of hanging."""
    signal.alarm(30)
    yield
    signal.alarm(0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a folder, and a link to a folder outside."""
    root = tmp_path / "root"
    (root / "folder" / "inner").mkdir(parents=True)
    (root / "file").write_text("ours")
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "inner" / "precious").write_text("theirs")
    (outside / ".staging-x").write_text("theirs")
    (root / "link").symlink_to(outside)
    stay_inside(root)
    return root


WAYS: dict[str, Callable[[Path], object]] = {
    "write": lambda root: atomic.write_file(root / "link/file", b"x"),
    "write-unfinished": lambda root: atomic.write_file(root / "file", b"x", staging_folder=root / "link"),
    "write-deep": lambda root: atomic.write_file(root / "link/inner/precious", b"x"),
    "create": lambda root: atomic.create_file(root / "link/file", b"x"),
    "append": lambda root: atomic.append_line(root / "link/inner/precious", b"x"),
    "make-folder": lambda root: atomic.ensure_folder(root / "link/new"),
    "take-link-for-folder": lambda root: atomic.ensure_folder(root / "link"),
    "move-out": lambda root: atomic.move_folder(root / "folder", root / "link/folder"),
    "move-in": lambda root: atomic.move_folder(root / "link/inner", root / "inner"),
    "move-the-link": lambda root: atomic.move_folder(root / "link", root / "moved"),
    "publish": lambda root: atomic.publish_file(root / "file", root / "link/file"),
    "point": lambda root: atomic.replace_link(root / "link/pointer", "inner"),
    "remove": lambda root: atomic.remove_entry(root / "link/.staging-x"),
    "sweep": lambda root: atomic.remove_staging(root / "link"),
    "read": lambda root: read_file(root / "link/inner/precious"),
    "leave": lambda root: atomic.write_file(root / "folder/../../outside/file", b"x"),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_goes_through_a_link(way: str, root: Path) -> None:
    outside = root.parent / "outside"
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}

    with pytest.raises(
        InTheWay, match=r"where a (plain file|folder) belongs: nothing is read, written or moved"
    ):
        WAYS[way](root)

    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in outside.iterdir()) == [".staging-x", "inner"]
    assert sorted(path.name for path in root.iterdir()) == ["file", "folder", "link"]
    assert (root / "file").read_text() == "ours"


def test_the_root_itself_may_be_a_link(root: Path) -> None:
    other = root.with_name("other")
    other.symlink_to(root)
    stay_inside(other)

    atomic.write_file(other / "folder/file", b"x")

    assert (root / "folder/file").read_bytes() == b"x"


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda path: atomic.write_file(path, b"x"), id="write"),
        pytest.param(lambda path: atomic.append_line(path, b"x"), id="append"),
        pytest.param(atomic.sync_file, id="sync"),
        pytest.param(read_file, id="read"),
        pytest.param(lambda path: read_end(path, 10), id="read-end"),
        pytest.param(lambda path: open_file(path, os.O_WRONLY), id="open"),
    ],
)
@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_what_is_no_plain_file_is_named_at_once_and_stays(
    kind: str, act: Callable[[Path], object], root: Path
) -> None:
    path = root / "folder" / "place"
    {"pipe": os.mkfifo, "folder": os.mkdir, "link": lambda name: name.symlink_to("inner")}[kind](path)
    said = {"pipe": "a pipe", "folder": "a folder", "link": r"a symbolic link \(not followed\)"}[kind]

    with pytest.raises(InTheWay, match=f"^{path}: is {said} where a plain file belongs.*move it away$"):
        act(path)

    assert os.path.lexists(path)
    assert sorted(one.name for one in path.parent.iterdir()) == ["inner", "place"]


def test_a_folder_in_the_place_of_a_link_is_named(root: Path) -> None:
    with pytest.raises(InTheWay, match=f"{root}/folder: is a folder where a symbolic link belongs"):
        atomic.replace_link(root / "folder", "inner")

    assert sorted(path.name for path in root.iterdir()) == ["file", "folder", "link"]


def test_what_is_too_large_is_not_read(root: Path) -> None:
    with pytest.raises(InTheWay, match="larger than 3 bytes"):
        read_file(root / "file", max_bytes=3)
