"""Is the store an older copy of itself that somebody put back? Then what happened since is not in it.

Each writer raises the epoch, and each of its transactions that changes something a count; files beside the
store say both, the count once a tick and at the end of an office. An older copy is behind them. What a kill
leaves is not: the files are written after the store. Who takes office in an older copy writes that down in
it, until the store is made again from the files.
"""

from pathlib import Path
from typing import NamedTuple

import apsw

from state.inside import read_file
from state.store.tables import get_meta, put_meta

_KEY = "older_copy"
_WRITES = "num_writes"
_MAX_BYTES = 64


class Written(NamedTuple):
    """How far a store was written; of two of the same store the lesser is the older one."""

    epoch: int = 0
    writes: int = 0
    """Of the transactions that changed something, under every epoch."""


NOT_WRITTEN = Written()


def written(connection: apsw.Connection) -> Written:
    """Return how far the store was written."""
    return Written(int(get_meta(connection, "epoch") or 0), int(get_meta(connection, _WRITES) or 0))


def put_writes(connection: apsw.Connection, writes: int) -> None:
    """Write down how many transactions changed something, in the very transaction that is one more."""
    put_meta(connection, _WRITES, str(writes))


def read_written(mirror: Path) -> Written:
    """Return how far its mirror says that the store was written; of none, or a damaged one, nothing."""
    try:
        words = read_file(mirror, _MAX_BYTES).decode("ascii", "replace").split()
    except (OSError, ValueError):
        return NOT_WRITTEN
    if len(words) != len(NOT_WRITTEN) or not all(word.isdecimal() for word in words):
        return NOT_WRITTEN
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
    return max(Written(epoch), read_written(mirror))


def why_older(connection: apsw.Connection, last: Written) -> str | None:
    """Say how it shows that more was written than the store knows; None: nothing shows it."""
    found = written(connection)
    if found >= last:
        return None
    if found.epoch < last.epoch:
        return f"its epoch is {found.epoch}, the last one was {last.epoch}"
    return f"it was written to {found.writes:,} times, the last one {last.writes:,} times"


def older_copy_of(connection: apsw.Connection) -> str | None:
    """Return what was written down when the store was found to be an older copy; None: it is none."""
    return get_meta(connection, _KEY)


def mark_older(connection: apsw.Connection, why: str) -> None:
    """Write down that it is one, and how that showed."""
    put_meta(connection, _KEY, why)
