"""A folder's whole content in memory: read, compared, and put back by changing only what differs."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A file, a folder or a link."""

    kind: str
    mode: int
    content: bytes
    """Of a link: where it points."""
    mtime_ns: int

    @property
    def told(self) -> tuple[str, int, bytes]:
        """What counts of it: not when it was written."""
        return self.kind, self.mode, self.content


State = dict[str, Entry]
"""Path below the folder → what is there; a folder before what is in it."""


ELSEWHERE = "elsewhere"
"""A folder beside the root: what lies on another disk."""


def read_state(root: Path) -> State:
    """Return everything below the folder, and elsewhere; what vanishes while it is read was not there."""
    state = dict(_entries(str(root), len(str(root)) + 1))
    other = root.parent / ELSEWHERE
    if other.is_dir():
        state[ELSEWHERE] = Entry("folder", stat.S_IMODE(other.stat().st_mode), b"", 0)
        state |= _entries(str(other), len(str(root.parent)) + 1)
    return state


def place_of(root: Path, path: str) -> Path:
    """Return where a path of a state lies."""
    return root.parent / path if path.partition("/")[0] == ELSEWHERE else root / path


def _entries(folder: str, start: int) -> Iterator[tuple[str, Entry]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        try:
            yield entry.path[start:], _read(entry)
        except FileNotFoundError:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(entry.path, start)


def _read(entry: "os.DirEntry[str]") -> Entry:
    status = entry.stat(follow_symlinks=False)
    mode, mtime = stat.S_IMODE(status.st_mode), status.st_mtime_ns
    if stat.S_ISLNK(status.st_mode):
        return Entry("link", mode, os.fsencode(Path(entry.path).readlink()), mtime)
    if stat.S_ISDIR(status.st_mode):
        return Entry("folder", mode, b"", 0)
    descriptor = os.open(entry.path, os.O_RDONLY)
    try:
        return Entry("file", mode, os.read(descriptor, status.st_size + 1), mtime)
    finally:
        os.close(descriptor)


def put_back(root: Path, wanted: State, now: State | None = None) -> None:
    """Make the folder what it was, whatever is there now; `now`: what that is, where it was read already."""
    now = read_state(root) if now is None else now
    for path in sorted(now.keys() - wanted.keys(), reverse=True):
        _remove(place_of(root, path), now[path])
    for path, entry in wanted.items():
        before = now.get(path)
        if before is None or before.told != entry.told:
            if before is not None and (before.kind, entry.kind) != ("folder", "folder"):
                _remove(place_of(root, path), before)
            _make(place_of(root, path), entry)


def _remove(path: Path, entry: Entry) -> None:
    if entry.kind == "folder":
        path.rmdir()
    else:
        path.unlink()


def _make(path: Path, entry: Entry) -> None:
    if entry.kind == "link":
        path.symlink_to(os.fsdecode(entry.content))
        return
    if entry.kind == "folder":
        path.mkdir(exist_ok=True)
    else:
        path.write_bytes(entry.content)
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))
    path.chmod(entry.mode)


def remove_whole(folder: Path) -> None:
    """Remove a folder of a test, frozen or not."""
    shutil.rmtree(folder, ignore_errors=True)
