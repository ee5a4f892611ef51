"""A copy of a file's bytes, hashed on the way and synced, so that what is read back later can be compared."""

import os
from pathlib import Path

from blake3 import blake3

from state.atomic import PRIVATE_FILE
from state.failpoints import reach

_BLOCK_BYTES = 1 << 22


def copy_hashed(source: int, target: Path) -> tuple[int, str]:
    """Copy what an open file holds into a new file; return its length in bytes and its BLAKE3.

    The descriptor is closed. Afterwards the kernel's copy of the new file is dropped: whoever reads it back
    reads what the disk has.

    Raises:
        FileExistsError: the target is there already.
        OSError: the disk is full or failing.
    """
    hasher, size = blake3(), 0
    reach("file.create")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(source, "rb") as given, os.fdopen(os.open(target, flags, PRIVATE_FILE), "wb") as made:
        while block := given.read(_BLOCK_BYTES):
            reach("file.write")
            made.write(block)
            hasher.update(block)
            size += len(block)
        made.flush()
        reach("file.fsync")
        os.fsync(made.fileno())
        os.posix_fadvise(made.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return size, hasher.hexdigest()
