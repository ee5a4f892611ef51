"""Files and folders are there whole, or not at all."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from children import in_child

from state import atomic, failpoints


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.observe(None)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def dies(act: Callable[[], object], at: int) -> None:
    """Do it in a child that is killed at the failpoint."""

    def work() -> None:
        failpoints.arm(at, "kill")
        act()

    in_child(work)


def points_of(act: Callable[[], object]) -> list[str]:
    """Return the names of the failpoints on the way."""
    reached: list[str] = []
    failpoints.observe(reached.append)
    act()
    failpoints.observe(None)
    return reached


@pytest.mark.parametrize("at", range(1, 6))
def test_a_file_that_is_replaced_has_its_old_content_or_its_new(at: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    dies(lambda: atomic.write_file(path, b"new"), at)

    assert path.read_bytes() in (b"old", b"new")


def test_a_file_is_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    atomic.write_file(tmp_path / "file", b"new")

    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["file"]


def test_content_is_synced_before_its_name_and_the_name_after(tmp_path: Path) -> None:
    assert points_of(lambda: atomic.write_file(tmp_path / "file", b"new")) == [
        "file.create", "file.write", "file.fsync", "file.rename", "folder.fsync", "file.done",
    ]  # fmt: skip


@pytest.mark.parametrize("at", range(1, 5))
def test_a_write_that_fails_keeps_the_old_file_and_removes_its_own(at: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    failpoints.arm(at, "ENOSPC")

    with pytest.raises(OSError, match="No space left on device"):
        atomic.write_file(path, b"new")

    assert (names(tmp_path), path.read_bytes()) == (["file"], b"old")


def test_an_unfinished_file_may_lie_in_another_folder(tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    dies(lambda: atomic.write_file(tmp_path / "shown/file", b"new", staging_folder=tmp_path), 4)

    assert names(tmp_path / "shown") == []


def test_a_file_is_created_by_the_first_who_comes(tmp_path: Path) -> None:
    path = tmp_path / "claim"

    assert atomic.create_file(path, b"first")
    assert not atomic.create_file(path, b"second")
    assert (path.read_bytes(), names(tmp_path)) == (b"first", ["claim"])


def test_a_created_file_is_never_seen_in_part(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    for at in range(1, 5):
        dies(lambda: atomic.create_file(path, b"whole"), at)
        assert not path.exists()
    atomic.create_file(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_a_torn_last_line_is_closed_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b'{"a": 1}\n{"b":')

    atomic.append_line(path, b'{"c": 3}')

    assert path.read_bytes() == b'{"a": 1}\n{"b":\n{"c": 3}\n'


def test_a_line_that_did_not_fit_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: whole(descriptor, content[:2]))

    with pytest.raises(OSError, match="No space left on device") as caught:
        atomic.append_line(tmp_path / "lines", b"line")

    assert caught.value.errno == errno.ENOSPC


def test_publishing_refuses_to_replace_even_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".staging-a").mkdir()
    (tmp_path / "a").mkdir()

    with pytest.raises(FileExistsError):
        atomic.publish_folder(tmp_path / ".staging-a", tmp_path / "a")

    assert names(tmp_path) == [".staging-a", "a"]


def test_publishing_a_file_refuses_to_replace(tmp_path: Path) -> None:
    (tmp_path / ".staging-a").write_bytes(b"new")
    (tmp_path / "a").write_bytes(b"old")

    with pytest.raises(FileExistsError):
        atomic.publish_file(tmp_path / ".staging-a", tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_published_folder_has_its_real_name_only_when_it_is_whole(tmp_path: Path) -> None:
    staging = tmp_path / ".staging-a"
    staging.mkdir()
    (staging / "weights").write_bytes(b"w")

    atomic.publish_folder(staging, tmp_path / "a")

    assert (names(tmp_path), names(tmp_path / "a")) == (["a"], ["weights"])


@pytest.mark.parametrize("at", range(1, 5))
def test_a_link_points_at_the_old_place_or_the_new(at: int, tmp_path: Path) -> None:
    link = tmp_path / "active"
    link.symlink_to("old")

    dies(lambda: atomic.replace_link(link, "new"), at)

    assert str(link.readlink()) in ("old", "new")


def test_folders_are_private_and_made_with_their_parents(tmp_path: Path) -> None:
    atomic.ensure_folder(tmp_path / "a/b")
    atomic.ensure_folder(tmp_path / "a/b")

    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o700


def test_frozen_files_cannot_be_written_but_the_folder_takes_a_sidecar(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"w")
    atomic.freeze(tmp_path)

    assert (tmp_path / "weights").stat().st_mode & 0o777 == 0o400
    atomic.write_file(tmp_path / ".ledger.json", b"{}")


def test_only_unfinished_work_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".staging-folder").mkdir()
    (tmp_path / ".staging-folder/part").touch()
    for name in (".staging-file", "kept", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / ".staging-link").symlink_to("kept")

    atomic.remove_staging(tmp_path)

    assert names(tmp_path) == [".hidden", "kept"]


def test_removing_what_is_not_there_is_fine(tmp_path: Path) -> None:
    (tmp_path / "pointer").touch()
    atomic.remove_entry(tmp_path / "pointer")
    atomic.remove_entry(tmp_path / "pointer")

    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_named_by_its_whole_path() -> None:
    with pytest.raises(OSError, match="/proc/nobody-makes-this") as caught:
        atomic.ensure_folder(Path("/proc/nobody-makes-this"))
    assert caught.value.filename == "/proc/nobody-makes-this"
