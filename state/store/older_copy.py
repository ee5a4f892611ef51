"""Is the store an older copy of itself that somebody put back? Then what happened since is not in it.

Each writer raises the epoch, and each of its transactions that changes something a count; files beside the
store say both, the count once a tick and at the end of an office. An older copy is behind them. What a kill
leaves is not: the files are written after the store. A store that knows of the file with its count, which
is gone or damaged, may be one, and is treated as one. Who takes office in an older copy writes that down in
it, until the store is made again from the files.
"""

from pathlib import Path
from typing import NamedTuple

import apsw

from state.inside import read_file
from state.store.tables import get_meta, put_meta

_KEY = "older_copy"
_WRITES = "num_writes"
_HAS_MIRROR = "has_mirror"
_MAX_BYTES = 64


class Written(NamedTuple):
    """How far a store was written; of two of the same store the lesser is the older one."""

    epoch: int = 0
    writes: int = 0
    """Of the transactions that changed something, under every epoch."""


NOT_WRITTEN = Written()
UNSAID = -1
"""As the count of what the files say: none of them does."""


def written(connection: apsw.Connection) -> Written:
    """Return how far the store was written."""
    return Written(int(get_meta(connection, "epoch") or 0), int(get_meta(connection, _WRITES) or 0))


def put_writes(connection: apsw.Connection, writes: int) -> None:
    """Write down how many transactions changed something, in the very transaction that is one more."""
    put_meta(connection, _WRITES, str(writes))


def put_has_mirror(connection: apsw.Connection) -> None:
    """Write down that a file beside the store says its count: without that file nobody knows it any more."""
    put_meta(connection, _HAS_MIRROR, "1")


def read_written(mirror: Path) -> Written:
    """Return how far its mirror says that the store was written; UNSAID where it is gone or damaged."""
    try:
        words = read_file(mirror, _MAX_BYTES).decode("ascii", "replace").split()
    except (OSError, ValueError):
        return Written(0, UNSAID)
    if len(words) != len(NOT_WRITTEN) or not all(word.isdecimal() for word in words):
        return Written(0, UNSAID)
    return Written(*map(int, words))


def mirror_written(mirror: Path, how_far: Written) -> None:
    """Write beside the store how far it was written.

    Raises:
        InTheWay, OSError: something else has the file's name; the disk is full or failing.
    """
    from state.atomic import ensure_folder, write_file

    ensure_folder(mirror.parent)
    write_file(mirror, f"{how_far.epoch} {how_far.writes}\n".encode())


def last_written(epoch: int, mirror: Path) -> Written:
    """Return how far the store was written at least, of the epoch beside it and the mirror of its count.

    Read it before the store: who writes meanwhile writes there first.
    """
    said = read_written(mirror)
    return Written(epoch, UNSAID) if said.writes == UNSAID else max(Written(epoch), said)


def why_older(connection: apsw.Connection, last: Written) -> str | None:
    """Say how it shows, or may be, that more was written than the store knows; None: nothing shows it."""
    found = written(connection)
    if found.epoch < last.epoch:
        return f"its epoch is {found.epoch}, the last one was {last.epoch}"
    if last.writes == UNSAID and get_meta(connection, _HAS_MIRROR):
        return "or it may be one: control/written, which said how far it was written, is gone or damaged"
    if found >= last:
        return None
    return f"it was written to {found.writes:,} times, the last one {last.writes:,} times"


def older_copy_of(connection: apsw.Connection) -> str | None:
    """Return what was written down when the store was found to be an older copy; None: it is none."""
    return get_meta(connection, _KEY)


def mark_older(connection: apsw.Connection, why: str) -> None:
    """Write down that it is one, and how that showed."""
    put_meta(connection, _KEY, why)
