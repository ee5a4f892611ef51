"""A file read again as the disk has it: past the page cache, a block at a time, left and gone on with.

What was just written is in memory, and reading that says nothing about the disk. So the kernel's copy is
dropped first (posix_fadvise(2), DONTNEED); where it stays all the same, the file is read with O_DIRECT; where
that cannot be done either, as on a file system in memory, `is_from_memory` says so.
"""

import errno
import fcntl
import functools
import mmap
import os
from pathlib import Path

from blake3 import blake3

BLOCK_BYTES = 1 << 22
_IN_MEMORY = ("tmpfs", "ramfs")
_NO_DIRECT_READS = (errno.EINVAL, errno.EOPNOTSUPP)


class Rereading:
    """One open file on the way to its digest; closed by `close`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._hasher = blake3(max_threads=blake3.AUTO)
        self._buffer = mmap.mmap(-1, BLOCK_BYTES)  # aligned, as O_DIRECT wants it
        self.offset = 0
        """How much of it was read, in bytes."""
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        self.is_from_memory = _stays_cached(descriptor) and not _is_read_around(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)

    def read_on(self) -> int:
        """Read and hash the next block; return its length in bytes, 0 at the end.

        Raises:
            OSError: the disk is failing.
        """
        num_read = os.preadv(self._descriptor, [self._buffer], self.offset)
        after = self.offset + num_read
        os.posix_fadvise(self._descriptor, after, BLOCK_BYTES, os.POSIX_FADV_WILLNEED)
        with memoryview(self._buffer) as whole, whole[:num_read] as block:
            self._hasher.update(block)
        os.posix_fadvise(self._descriptor, self.offset, num_read, os.POSIX_FADV_DONTNEED)
        self.offset = after
        return num_read

    def hexdigest(self) -> str:
        """Return the BLAKE3 of what was read so far."""
        return self._hasher.hexdigest()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
        self._buffer.close()


def _stays_cached(descriptor: int) -> bool:
    """Is the file's first page in memory still? Where the kernel does not say, it may be."""
    try:
        return os.preadv(descriptor, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False
    except OSError:
        return True


def _is_read_around(descriptor: int) -> bool:
    """Switch the descriptor to reads that go around the cache; say whether that leads to a disk."""
    return not _is_in_memory(os.fstat(descriptor).st_dev) and _reads_directly(descriptor)


@functools.cache
def _is_in_memory(device: int) -> bool:
    """Does this file system have no disk below? It takes O_DIRECT all the same, and reads from memory."""
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = (line.split() for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines())
    return any(mount[2] == number and mount[mount.index("-") + 1] in _IN_MEMORY for mount in mounts)


def _reads_directly(descriptor: int) -> bool:
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_DIRECT)
        with mmap.mmap(-1, mmap.PAGESIZE) as page:
            os.preadv(descriptor, [page], 0)
    except OSError as error:
        if error.errno not in _NO_DIRECT_READS:
            raise
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)
        return False
    return True
