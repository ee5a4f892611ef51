"""Is the store an older copy of itself that somebody put back, or that of another root? Then what happened
here since is not in it.

Each writer raises the epoch, and each of its transactions that changes something a count; files beside the
store say both, the count once a tick and at the end of an office. So does a witness beside the weights: who
puts the store back may put back what lies beside it, too. An older copy is behind them. What a kill leaves
is not: the files are written after the store. A store that knows of the file with its count, which
is gone or damaged, may be one, and is treated as one. Who takes office in an older copy writes that down in
it, until the store is made again from the files.

What is put back with everything that says how far it was written (`control/` and `campaigns/.written`, too)
does not show here: only a run that lies in the folders, or a drop that lies in the trash, may tell of it.
"""

import os
from pathlib import Path
from typing import NamedTuple

import apsw

from state.inside import read_file
from state.store.tables import get_meta, put_meta

_KEY = "older_copy"
_WRITES = "num_writes"
_UID, _UID_BYTES = "store_uid", 8
_HAS_MIRROR = "has_mirror"
_MAX_BYTES = 64
_MIN_WORDS = 2
"""Of what the mirror says: epoch and count; since a later version the uid, too."""


class Written(NamedTuple):
    """Which store it is, and how far it was written."""

    epoch: int = 0
    writes: int = 0
    """Of the transactions that changed something, under every epoch."""
    uid: str | None = None
    """Drawn for each root's store; None: an older version wrote it."""

    def is_before(self, other: "Written") -> bool:
        """Was it written less far than another? Of two copies of one store it is the older one then."""
        return self[:2] < other[:2]


NOT_WRITTEN = Written()
UNSAID = -1
"""As the count of what the files say: none of them does."""


def written(connection: apsw.Connection) -> Written:
    """Return how far the store was written."""
    epoch, writes = (int(get_meta(connection, key) or 0) for key in ("epoch", _WRITES))
    return Written(epoch, writes, get_meta(connection, _UID))


def put_uid(connection: apsw.Connection, uid: str | None) -> None:
    """Give a store that has none its uid: this one, or a new one."""
    if get_meta(connection, _UID) is None:
        put_meta(connection, _UID, uid or os.urandom(_UID_BYTES).hex())


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
    if not _MIN_WORDS <= len(words) <= len(NOT_WRITTEN) or not all(word.isdecimal() for word in words[:2]):
        return Written(0, UNSAID)
    return Written(int(words[0]), int(words[1]), words[2] if len(words) > _MIN_WORDS else None)


def say_written(place: Path, how_far: Written) -> None:
    """Write how far the store was written, unless that is said: a later writer has taken over then.

    What is said of the store of another root is replaced.

    Raises:
        InTheWay, OSError: something else has the file's name; the disk is full or failing.
    """
    from state.atomic import write_file

    said = read_written(place)
    is_of_another = said.uid is not None and said.uid != how_far.uid
    if not (is_of_another or said.is_before(how_far)):
        return
    words = (how_far.epoch, how_far.writes, *([how_far.uid] if how_far.uid else []))
    write_file(place, f"{' '.join(map(str, words))}\n".encode())


def last_written(epoch: int, mirror: Path, witness: Path | None = None) -> Written:
    """Return how far the store was written at least, of the epoch beside it, its count's mirror and witness.

    What the witness says of another store does not count: weights may be copied from root to root. Read it
    before the store: who writes meanwhile writes there first.
    """
    said = read_written(mirror)
    if said.writes == UNSAID:
        return Written(epoch, UNSAID)
    beside = read_written(witness) if witness is not None and said.uid is not None else NOT_WRITTEN
    if said.epoch < epoch:
        said = Written(epoch, uid=said.uid)
    return beside if beside.uid == said.uid and said.is_before(beside) else said


def is_of_another_root(found: Written, last: Written) -> bool:
    """Is it not the store that was written here last? One without a uid was not, once the files name one."""
    return last.uid is not None and found.uid != last.uid


def why_older(connection: apsw.Connection, last: Written) -> str | None:
    """Say how it shows, or may be, that more was written here than it knows; None: nothing shows it."""
    found = written(connection)
    if is_of_another_root(found, last):
        its = f"is store {found.uid}" if found.uid is not None else "has no uid"
        return f"or that of another root: it {its}, the files beside it are of {last.uid}"
    if found.epoch < last.epoch:
        return f"its epoch is {found.epoch}, the last one was {last.epoch}"
    if last.writes == UNSAID and get_meta(connection, _HAS_MIRROR):
        return "or it may be one: control/written, which said how far it was written, is gone or damaged"
    if not found.is_before(last):
        return None
    return f"it was written to {found.writes:,} times, the last one {last.writes:,} times"


def older_copy_of(connection: apsw.Connection) -> str | None:
    """Return what was written down when the store was found to be an older copy; None: it is none."""
    return get_meta(connection, _KEY)


def mark_older(connection: apsw.Connection, why: str) -> None:
    """Write down that it is one, and how that showed."""
    put_meta(connection, _KEY, why)
