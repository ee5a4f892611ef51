"""A copy of a file's bytes, hashed on the way and synced, so that what is read back later can be compared."""

import os
from collections.abc import Callable
from pathlib import Path

from blake3 import blake3

from state.atomic import PRIVATE_FILE, sync_file
from state.failpoints import reach
from state.inside import open_file, opened
from state.writing import write_all

_BLOCK_BYTES = 1 << 22
_ZEROS = bytes(_BLOCK_BYTES)


class LeftOff(Exception):
    """A copy was left before its end, because a person asked for something; nothing of it is there."""


def _never() -> bool:
    return False


def copy_hashed(source: int, target: Path, is_over: Callable[[], bool] = _never) -> tuple[int, str]:
    """Copy what an open file holds into a new file; return its length in bytes and its BLAKE3.

    Blocks of zeros are left out of the new file, and read as zeros all the same: a sparse file of terabytes
    takes no more room than before. The descriptor is closed. Afterwards the kernel's copy of the new file is
    dropped: whoever reads it back reads what the disk has.

    Raises:
        FileExistsError: the target is there already.
        LeftOff: `is_over`, asked before each block, said so.
        OSError: the disk is full or failing.
    """
    hasher, size = blake3(), 0
    with os.fdopen(source, "rb") as given:
        made = _created(target)
        try:
            while block := given.read(_BLOCK_BYTES):
                if is_over():
                    target.unlink()
                    raise LeftOff
                if block != _ZEROS:
                    os.lseek(made, size, os.SEEK_SET)
                    write_all(made, block)
                hasher.update(block)
                size += len(block)
            os.ftruncate(made, size)
            reach("file.fsync")
            os.fsync(made)
            os.posix_fadvise(made, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(made)
    return size, hasher.hexdigest()


def _created(target: Path) -> int:
    reach("file.create")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with opened(target.parent) as folder:
        return os.open(target.name, flags, PRIVATE_FILE, dir_fd=folder)


def hash_file(path: Path) -> tuple[int, str]:
    """Return length in bytes and BLAKE3 of a file as the disk has it: synced first, then read past the cache.

    Raises:
        InTheWay: it is no plain file, or a link is on the way.
    """
    sync_file(path)
    hasher, size = blake3(), 0
    with os.fdopen(open_file(path), "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while block := file.read(_BLOCK_BYTES):
            hasher.update(block)
            size += len(block)
    return size, hasher.hexdigest()
