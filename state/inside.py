"""The one way to open, make, replace and move what lies under a root: no link is followed, nothing blocks.

Whoever writes under a root says so once (`stay_inside`). From then on every helper of `state.atomic` opens
the folder that it works in one part at a time below that root, and works relative to the open folder. So a
link that someone puts in place, even between two steps, leads nowhere: it is named, and nothing happens.
Files are opened without waiting for the other end of a pipe, and must be plain files.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE_FILE = 0o600
_MAX_BYTES = 64 * 1024 * 1024
_NO_PLAIN_FILE = (errno.ELOOP, errno.ENXIO, errno.EISDIR, errno.ENODEV)
_roots: set[str] = set()


class InTheWay(OSError):
    """Something else stands where a plain file or a folder belongs; nothing was done."""

    def __init__(self, path: str, found: str, expected: str) -> None:
        super().__init__(errno.ENOTSUP, in_the_way(found, expected), path)

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


class TooLarge(InTheWay):
    """A plain file that is larger than what belongs there ever is."""


def in_the_way(found: str, expected: str) -> str:
    """Return what is wrong with a place, and what to do."""
    return f"is {found} where {expected} belongs: nothing is read, written or moved there; move it away"


def kind_of(mode: int) -> str:
    """Return in the user's words what an entry with this mode is."""
    if stat.S_ISLNK(mode):
        return "a symbolic link (not followed)"
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a file" if stat.S_ISREG(mode) else "a device or a socket"


def stay_inside(root: Path) -> None:
    """Follow no link below this folder from now on, as long as the process lives; the folder may be one."""
    _roots.add(str(root))


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """Yield a descriptor of the folder.

    Raises:
        FileNotFoundError: there is no such folder.
        InTheWay: a part of the path is no folder, or below a root a link.
    """
    descriptor = _walk(folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _walk(folder: Path) -> int:
    root, parts = _split(str(folder))
    descriptor = _enter(root, None, root, 0)
    walked = root
    for part in parts:
        walked = f"{walked}/{part}"
        try:
            following = _enter(part, descriptor, walked, os.O_NOFOLLOW)
        finally:
            os.close(descriptor)
        descriptor = following
    return descriptor


def _split(folder: str) -> tuple[str, list[str]]:
    """Return the trusted beginning of a path, and the parts after it."""
    for root in _roots:
        if folder.startswith(f"{root}/"):
            return root, folder[len(root) + 1 :].split("/")
    return folder, []


def _enter(name: str, folder: int | None, path: str, flags: int) -> int:
    if name == os.pardir:
        raise InTheWay(path, "a way out of the folder", "a folder")
    try:
        return os.open(name, _FOLDER | flags, dir_fd=folder)
    except OSError as error:
        error.filename = path
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise InTheWay(path, _found(name, folder), "a folder") from error
        raise


def open_file(path: Path, flags: int = os.O_RDONLY) -> int:
    """Return a descriptor of a plain file; `flags` as for `os.open`, what is created is private.

    Raises:
        FileNotFoundError: there is no such file, and it was not to be created.
        InTheWay: no plain file, or a link on the way.
    """
    with opened(path.parent) as folder:
        try:
            descriptor = os.open(path.name, flags | _FILE, _PRIVATE_FILE, dir_fd=folder)
        except OSError as error:
            error.filename = str(path)
            if error.errno in _NO_PLAIN_FILE:
                raise InTheWay(str(path), _found(path.name, folder), "a plain file") from error
            raise
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise InTheWay(str(path), kind_of(mode), "a plain file")
    return descriptor


def read_file(path: Path, max_bytes: int = _MAX_BYTES) -> bytes:
    """Return the content of a plain file.

    Raises:
        FileNotFoundError: there is no such file.
        InTheWay: no plain file, a link on the way, or (TooLarge) larger than `max_bytes`.
    """
    with os.fdopen(open_file(path), "rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise TooLarge(str(path), f"larger than {max_bytes:,} bytes", "a small file")
    return content


def read_end(path: Path, num_bytes: int) -> bytes:
    """Return the last bytes of a plain file; nothing where it is not there.

    Raises:
        InTheWay: no plain file, or a link on the way.
    """
    try:
        descriptor = open_file(path)
    except FileNotFoundError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(max(0, os.fstat(descriptor).st_size - num_bytes))
        return file.read()


def refuse_other(path: Path, folder: int, expected: str) -> None:
    """Let only what is expected, `a plain file` or `a folder`, or nothing have this name in the open folder.

    Raises:
        InTheWay: something else has it.
    """
    try:
        mode = os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(mode) if expected == "a plain file" else stat.S_ISDIR(mode)):
        raise InTheWay(str(path), kind_of(mode), expected)


def _found(name: str, folder: int | None) -> str:
    try:
        return kind_of(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return "something that changes"
