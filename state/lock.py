"""The kernel's lock on a realm: one reconciler at a time, released by the kernel when its process dies.

The lock is on the open file, so the file stays where it is and is never replaced. What is written in it
only says who holds it; whether it is held, the kernel decides. Close-on-exec: a trainer never inherits it.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from state.inside import InTheWay, open_file, read_file

_RETRY_SECONDS = 0.1
_MAX_HOLDER_BYTES = 64 * 1024


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds the lock."""

    pid: int
    host: str
    command: str
    since: str


class LockHeld(Exception):
    """Another reconciler holds the lock; says who and since when."""

    def __init__(self, lock: Path, holder: Holder | None, *, may_wait: bool) -> None:
        self.lock = lock
        self.holder = holder
        super().__init__(_message(lock, holder, may_wait=may_wait))


@contextmanager
def hold_lock(
    lock: Path, *, command: str, since: str, timeout_seconds: float | None = None
) -> Iterator[None]:
    """Hold the lock for the length of the block.

    Waits at most `timeout_seconds` for whoever holds it; None: this command does not wait at all.

    Raises:
        LockHeld: it is still held then.
        InTheWay: what has its name is no plain file.
    """
    from state.atomic import ensure_folder

    ensure_folder(lock.parent)
    descriptor = open_file(lock, os.O_RDWR | os.O_CREAT)
    try:
        _acquire(descriptor, lock, timeout_seconds)
        _write_holder(
            descriptor, Holder(pid=os.getpid(), host=os.uname().nodename, command=command, since=since)
        )
        yield
    finally:
        os.close(descriptor)


def read_epoch(mirror: Path) -> int:
    """Return the epoch of the last writer as its mirror file says it; 0 when there is none.

    Raises:
        ValueError: the file does not hold a number.
    """
    try:
        text = read_file(mirror, _MAX_HOLDER_BYTES).decode("ascii", "replace")
    except FileNotFoundError:
        return 0
    except InTheWay as error:
        raise ValueError(str(error)) from error
    if not text.strip().isdecimal():
        raise ValueError(
            f"{mirror}: {text[:40]!r} is not an epoch (a whole number); remove the file if it is damaged"
        )
    return int(text)


def mirror_epoch(mirror: Path, epoch: int) -> None:
    """Write the epoch of the writer that took office beside the store."""
    from state.atomic import ensure_folder, write_file

    ensure_folder(mirror.parent)
    write_file(mirror, f"{epoch}\n".encode())


def _acquire(descriptor: int, lock: Path, timeout_seconds: float | None) -> None:
    deadline = time.monotonic() + (timeout_seconds or 0.0)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0:
                may_wait = timeout_seconds is not None
                raise LockHeld(lock, _read_holder(descriptor), may_wait=may_wait) from None
            time.sleep(min(_RETRY_SECONDS, left))
        else:
            return


def _write_holder(descriptor: int, holder: Holder) -> None:
    content = msgspec.json.encode(holder) + b"\n"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content, 0)


def _read_holder(descriptor: int) -> Holder | None:
    """Return who says that it holds the lock; None while it is being written."""
    try:
        return msgspec.json.decode(os.pread(descriptor, _MAX_HOLDER_BYTES, 0), type=Holder)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _message(lock: Path, holder: Holder | None, *, may_wait: bool) -> str:
    if holder is None:
        return f"another reconciler holds {lock} (it has just begun); wait for it or stop it"
    return (
        f"another reconciler holds {lock} since {holder.since}: pid {holder.pid} on {holder.host}, "
        f"`{holder.command}`; wait {'with --lock-timeout' if may_wait else 'for it'}, or stop it"
    )
