"""Is a file that somebody brings here whole? Nobody can know; these are the signs of it."""

import fcntl
import os
import signal
from datetime import datetime

import msgspec

from reconciler.observed.data_records import InboxState
from reconciler.observed.folders import Signature
from state.contract.file_forms import form_finding
from state.contract.row_lines import MAX_LINE_BYTES

SETTLED_SECONDS = 10.0
"""So long nothing of a file must have changed."""
_NANOSECONDS = 10**9
_CLOCK_SECONDS = 1.0
"""The present moment is told in whole seconds: what was changed in this one is new, and of no future."""


def state_of(descriptor: int, seen: Signature, now: str) -> InboxState:
    """Return whether an open file is settled, or the first sign that it is not."""
    age_seconds = _seconds(now) - _changed_ns(seen, now) / _NANOSECONDS
    if age_seconds <= -SETTLED_SECONDS:
        return "future"  # what grew while others were looked at is a little newer than the present moment
    if age_seconds < SETTLED_SECONDS:
        return "changing"
    if is_open_for_writing(descriptor):
        return "open"
    return "settled" if _is_last_line_complete(descriptor, seen.size_bytes) else "torn"


def _changed_ns(seen: Signature, now: str) -> int:
    """Return when the file was changed last; a moment in the future that somebody gave it does not count."""
    this_second_ends_ns = (_seconds(now) + _CLOCK_SECONDS) * _NANOSECONDS
    return seen.mtime_ns if seen.mtime_ns < this_second_ends_ns else seen.ctime_ns


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def is_open_for_writing(descriptor: int) -> bool:
    """Has anybody this file open for writing? False, too, where the system does not tell.

    The kernel grants a read lease (fcntl(2), F_SETLEASE) only on a file that nobody may write through.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # ignored, should the lease be broken
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False  # another owner's file, or a file system without leases
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _is_last_line_complete(descriptor: int, size_bytes: int) -> bool:
    """Does the content end with a line end, or with a line that is whole as JSON?

    What is no JSON lines at all (compressed, UTF-16, ...) has no line to show it: it counts as whole, and is
    refused by its name.
    """
    start = max(0, size_bytes - MAX_LINE_BYTES)
    tail = os.pread(descriptor, 1, size_bytes - 1) if size_bytes else b""
    if not size_bytes or tail == b"\n":
        return True
    last = os.pread(descriptor, size_bytes - start, start).rpartition(b"\n")[2]
    try:
        msgspec.json.decode(last)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return form_finding(os.pread(descriptor, MAX_LINE_BYTES, 0)) is not None
    return True
