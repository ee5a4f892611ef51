"""The ballast: a file that holds room on the root's disk, and is let go when that is full.

Its bytes cannot be compressed, and are written, so that every file system gives them their room.
"""

import os
from pathlib import Path

from state.atomic import PRIVATE_FILE, publish_file, remove_entry, remove_staged
from state.failpoints import reach
from state.inside import opened, refuse_other
from state.layout import STAGING_PREFIX, Layout
from state.writing import write_all

_BLOCK_BYTES = 1 << 20
_SEED = b"ballast"


def make(place: Path, size_bytes: int) -> None:
    """Make the file with this size; there must be none.

    Raises:
        FileExistsError: something has its name.
        OSError: the disk has no room for it; then nothing of it is left.
    """
    staging = place.with_name(f"{STAGING_PREFIX}{place.name}")
    try:
        _fill(staging, size_bytes)
        publish_file(staging, place)
    except OSError:
        remove_staged(staging)
        raise


def _fill(path: Path, size_bytes: int) -> None:
    from blake3 import blake3  # slow to import, and seldom needed

    block = blake3(_SEED).digest(length=min(_BLOCK_BYTES, size_bytes))
    with opened(path.parent) as folder:
        reach("file.create")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path.name, flags, PRIVATE_FILE, dir_fd=folder)
        try:
            for begin in range(0, size_bytes, _BLOCK_BYTES):
                write_all(descriptor, block[: size_bytes - begin])
            reach("file.fsync")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def let_go(place: Path) -> int:
    """Remove the file and return how large it was; 0: there was none.

    Raises:
        InTheWay: what has its name is no plain file; it is left.
    """
    try:
        with opened(place.parent) as folder:
            refuse_other(place, folder, "a plain file")
            size_bytes = os.stat(place.name, dir_fd=folder, follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0
    remove_entry(place)
    return size_bytes


def relieve(layout: Layout, least_free_bytes: int) -> int:
    """Let the ballast go if the disk is full, so that the store can be written; return what became free."""
    try:
        room = os.statvfs(layout.root)
        return let_go(layout.ballast) if room.f_bavail * room.f_frsize < least_free_bytes else 0
    except OSError:
        return 0  # no root yet, or one that the plan names
