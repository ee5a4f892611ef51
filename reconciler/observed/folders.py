"""Read folders and files that anyone may have touched: no link followed, no device opened, sizes bounded.

Folders are opened one part at a time below a folder that the caller trusts, and everything in them is
reached relative to the open folder. So a link that someone puts in place between two looks leads nowhere.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, Self

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_MAX_POINTER_BYTES = 1024


class UnsafeFile(Exception):
    """A link, a device, or something too large where a plain file or folder was expected."""


class Signature(NamedTuple):
    """Two equal signatures of one path mean: nobody changed it in between."""

    inode: int
    mtime_ns: int
    ctime_ns: int
    size_bytes: int


_SIGNS = attrgetter("st_ino", "st_mtime_ns", "st_ctime_ns", "st_size")
"""Takes from a status what a signature has, in half the time."""
PlainSignature = tuple[int, int, int, int]
"""A signature as caches keep it: one of another type is equal where its numbers are."""


def signature(status: os.stat_result) -> Signature:
    return Signature(status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)


class Folder:
    """An open folder; a context that closes it."""

    def __init__(self, descriptor: int, path: str) -> None:
        self._descriptor = descriptor
        self.text = path
        """The path; a Path of it is made only when asked for, since that takes as long as opening it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)

    @property
    def path(self) -> Path:
        return Path(self.text)

    @property
    def descriptor(self) -> int:
        """The open folder itself, for who changes something in it."""
        return self._descriptor

    def names(self) -> list[str]:
        """Return the names of everything in the folder, sorted."""
        return sorted(os.listdir(self._descriptor))  # noqa: PTH208 - pathlib knows no descriptors

    def status(self, name: str) -> os.stat_result:
        """Return the status of the entry itself, of the link where it is one.

        Raises:
            FileNotFoundError: there is no such entry.
        """
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    def signatures(self, names: Sequence[str]) -> tuple[Signature, ...]:
        """Return the signatures of entries here, or in folders in this one.

        Raises:
            FileNotFoundError: one of them is not there.
        """
        folder = self._descriptor
        return tuple([signature(os.stat(name, dir_fd=folder, follow_symlinks=False)) for name in names])

    def signatures_or_none(self, names: Sequence[str]) -> tuple[Signature | None, ...]:
        """Return the signatures of entries here, or in folders in this one; None of what is not there."""
        return tuple([self._signature_or_none(name) for name in names])

    def _signature_or_none(self, name: str) -> Signature | None:
        try:
            return signature(self.status(name))
        except FileNotFoundError:
            return None

    def are(self, names: Sequence[str], signatures: Sequence[PlainSignature | None]) -> bool:
        """Have the entries with these names these signatures, each?

        A link on the way is no danger: what it leads to has another inode than what was looked at.
        """
        folder, look, signs = self._descriptor, os.stat, _SIGNS
        for name, known in zip(names, signatures, strict=True):
            try:
                seen: PlainSignature | None = signs(look(name, dir_fd=folder, follow_symlinks=False))
            except FileNotFoundError:
                seen = None
            except OSError:
                return False
            if seen != known:
                return False
        return True

    def own_status(self) -> os.stat_result:
        return os.fstat(self._descriptor)

    def link_target(self, name: str) -> str:
        """Return where the link points, as it is written."""
        return os.readlink(name, dir_fd=self._descriptor)

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a plain file.

        Raises:
            FileNotFoundError: there is no such file.
            UnsafeFile: a link, not a plain file, or larger than `max_bytes`.
        """
        with self.open_file(name) as descriptor:
            return _bounded(descriptor, max_bytes)

    def tail(self, name: str, max_bytes: int) -> bytes:
        """Return the last bytes of a plain file; raises as `open_file` does."""
        with self.open_file(name) as descriptor:
            size = os.fstat(descriptor).st_size
            return os.pread(descriptor, max_bytes, max(0, size - max_bytes))

    @contextmanager
    def open_file(self, name: str) -> Iterator[int]:
        """Yield a descriptor of a plain file.

        Raises:
            FileNotFoundError: there is no such file.
            UnsafeFile: a link or not a plain file.
        """
        descriptor = self.open_descriptor(name)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def open_descriptor(self, name: str) -> int:
        """Return a descriptor of a plain file, which the caller closes; raises as `open_file` does."""
        descriptor = _open(name, _FILE, self._descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise UnsafeFile("is not a plain file")
        return descriptor

    def enter(self, name: str) -> "Folder":
        """Open a folder in this one.

        Raises:
            FileNotFoundError: there is no such folder.
            UnsafeFile: a link or not a folder.
        """
        if name == os.pardir:
            raise UnsafeFile(f"{name} leaves the folder")
        return Folder(_open(name, _FOLDER | os.O_NOFOLLOW, self._descriptor), f"{self.text}/{name}")


class Neighbours:
    """Opens folders below one that is trusted; the parent of the last stays open for the next beside it.

    A context that closes it. Ask in the order of the paths.
    """

    def __init__(self, below: Path) -> None:
        self._below = below
        self._parent: Folder | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._parent is not None:
            self._parent.__exit__()
            self._parent = None

    def open(self, path: str) -> Folder:
        """Open the folder; raises as `open_folder` does."""
        parent, _, name = path.rpartition(os.sep)
        if self._parent is None or self._parent.text != parent:
            self.__exit__()
            self._parent = open_folder(Path(parent), self._below)
        return self._parent.enter(name)


def open_folder(path: Path, below: Path) -> Folder:
    """Open the folder; `below` is trusted and may be a link, no part after it may.

    Raises:
        FileNotFoundError: there is no such folder.
        UnsafeFile: a part of the path is a link, not a folder, or `..`.
        ValueError: the path is not below `below`.
    """
    parts = _parts_below(path, below)
    descriptor = _open(str(below), _FOLDER, None)
    try:
        for part in parts:
            descriptor = _step(descriptor, part)
    except BaseException:
        os.close(descriptor)
        raise
    return Folder(descriptor, str(path))


def _parts_below(path: Path, below: Path) -> Iterable[str]:
    """Return the parts of a path after those of another, without what `relative_to` costs."""
    inside, start = str(path), f"{below}{os.sep}"
    if inside.startswith(start) and below.name:
        return inside[len(start) :].split("/")
    return path.relative_to(below).parts


def _step(descriptor: int, part: str) -> int:
    """Return the descriptor of the next folder, and close this one."""
    if part == os.pardir:
        raise UnsafeFile(f"{part} leaves the folder")
    following = _open(part, _FOLDER | os.O_NOFOLLOW, descriptor)
    os.close(descriptor)
    return following


def _open(name: str, flags: int, folder: int | None) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise UnsafeFile(_kind(name, folder)) from error
        raise


def _kind(name: str, folder: int | None) -> str:
    """Return what stands where something else was expected."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return "changed while being read"
    if stat.S_ISLNK(mode):
        return "is a symbolic link, which is not followed"
    return "is not a folder" if stat.S_ISREG(mode) else "is not a plain file or folder"


def _bounded(descriptor: int, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    left = max_bytes + 1
    while left > 0 and (part := os.read(descriptor, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    if left <= 0:
        raise UnsafeFile(f"is larger than {max_bytes} bytes")
    return b"".join(parts)


def is_lfs_pointer(content: bytes) -> bool:
    """Is this the text of about 130 bytes that stands for a file in Git LFS?"""
    return len(content) <= _MAX_POINTER_BYTES and content.startswith(_LFS_POINTER)


def printable(name: str) -> str:
    """Return the name for people: what a terminal must not see is escaped."""
    return name if name.isprintable() else ascii(name)[1:-1]


def reason(error: OSError | UnsafeFile) -> str:
    """Return why something could not be read, without its path."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return str(error)
