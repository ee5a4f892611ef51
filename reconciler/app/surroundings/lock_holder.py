"""Who holds a realm's lock, found out without taking it: a start just then must not be turned away."""

import os
from pathlib import Path

import msgspec

from state.lock import Holder

PROC = Path("/proc")
_MAX_BYTES = 64 * 1024


def holder_of(lock: Path, proc: Path = PROC) -> Holder | None:
    """Return who holds the lock now; None when nobody does.

    The file says who wrote it last; that process holds the lock while it lives and has the very file open
    with a lock on it. Of another user's process only its being alive can be seen.
    """
    try:
        with lock.open("rb") as file:
            said = msgspec.json.decode(file.read(_MAX_BYTES), type=Holder)
            status = os.fstat(file.fileno())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return said if _has_locked(proc / str(said.pid), status) else None


def _has_locked(process: Path, lock: os.stat_result) -> bool:
    try:
        descriptors = [entry.name for entry in os.scandir(process / "fd")]
    except PermissionError:
        return process.exists()
    except OSError:
        return False
    return any(_is_locked(process, name, lock) for name in descriptors)


def _is_locked(process: Path, descriptor: str, lock: os.stat_result) -> bool:
    try:
        status = (process / "fd" / descriptor).stat()
        if (status.st_dev, status.st_ino) != (lock.st_dev, lock.st_ino):
            return False
        return b"FLOCK" in (process / "fdinfo" / descriptor).read_bytes()
    except OSError:
        return False
