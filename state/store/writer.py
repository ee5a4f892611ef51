"""The one writer: each transaction first checks that no later writer has taken over."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from state.atomic import ensure_folder
from state.failpoints import reach
from state.inside import InTheWay
from state.store.backups import back_up
from state.store.older_copy import (
    NOT_WRITTEN,
    UNSAID,
    Written,
    mark_older,
    older_copy_of,
    put_has_mirror,
    put_uid,
    put_writes,
    read_written,
    say_written,
    why_older,
    written,
)
from state.store.owed_rows import owe_rows, watch_changes
from state.store.tables import get_meta, put_meta

_NEWEST_NUMBER = "newest_number"


class LostLock(Exception):
    """Another reconciler has taken over this root; this one must not write any more."""


class Writer:
    """Transactions of the reconciler that holds the lock.

    Taking office raises the epoch by one, above that of `last` too (how far files beside the store say that
    it was written: it may be an older copy); a transaction under an older epoch is refused, and one in a
    store that was put in the place of this one. How far the store is written is said in `mirror` and
    `witness`, if any.
    New rows of the ledger are numbered above `newest_number`, which an older copy does not know to be in use.
    That it is one is written into it, since its epoch does not show it any more. One that is being made anew
    from the files beside it (`is_remade`) is none.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        last: Written = NOT_WRITTEN,
        newest_number: int | None = None,
        *,
        is_remade: bool = False,
        mirror: Path | None = None,
        witness: Path | None = None,
    ) -> None:
        self._connection = connection
        why = None if is_remade else why_older(connection, last)
        self.epoch = _raise_epoch(connection, last.epoch, newest_number, why, last.uid if is_remade else None)
        if is_remade:
            put_writes(connection, max(last.writes, 0))  # the files that it is made from are not behind it
        self.is_older_copy = bool(older_copy_of(connection))
        """Somebody put an older store back, which is not made again yet: what happened since is not in it."""
        self._writes, self._uid = written(connection)[1:]
        self._said_uid = last.uid or self._uid
        self._mirror, self._witness, self._mirrored = mirror, witness, self._writes
        self._has_mirror = mirror is not None and read_written(mirror).writes != UNSAID
        self._changed: set[str] = set()
        watch_changes(connection, self._changed.add)

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Commit what the block writes as a whole, or nothing of it.

        Raises:
            LostLock: a later writer has taken over, or an older copy of the store was put in its place.
        """
        reach("store.begin")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            count = self._check()
            self._changed.clear()
            before = self._connection.total_changes()
            yield self._connection
            owe_rows(self._connection, self._changed)
            if self._connection.total_changes() > before:
                count += 1
                put_writes(self._connection, count)
                if self._has_mirror:
                    put_has_mirror(self._connection)
            reach("store.commit")
            self._connection.execute("COMMIT")
        except BaseException:
            _roll_back(self._connection)
            raise
        self._writes = count
        reach("store.committed")

    def mirror(self) -> None:
        """Say beside the store, and beside the weights, how far it is written: so an older copy of it shows.

        What something else has the place of is not written: then only the epoch shows it.

        Raises:
            OSError: the disk is full or failing.
        """
        if self._mirror is not None and self._mirrored < self._writes:
            how_far = Written(self.epoch, self._writes, self._said_uid)
            with suppress(InTheWay):
                ensure_folder(self._mirror.parent)
                say_written(self._mirror, how_far)
                self._has_mirror = True
            if self._witness is not None and self._witness.parent.is_dir():
                with suppress(InTheWay, PermissionError):  # its folder may be somebody's read-only disk
                    say_written(self._witness, how_far)
            self._mirrored = self._writes

    def back_up(self, folder: Path, day: str) -> Path | None:
        """Copy the store into a folder unless the day has a copy; raises as `backups.back_up` does."""
        return back_up(self._connection, folder, day)

    def close(self) -> None:
        """Close the store's file; how far it was written is said before, if the disk lets it."""
        with suppress(OSError):
            self.mirror()
        self._connection.close()

    def _check(self) -> int:
        """Refuse where another took over, or the store is not the one written to; return its count."""
        found, expected = written(self._connection), Written(self.epoch, self._writes)
        if found.epoch > self.epoch:
            raise LostLock(
                f"another reconciler took over this root (epoch {found.epoch}, this one has {self.epoch}); "
                "nothing was written; see `reconcile status`"
            )
        if found.uid != self._uid:
            raise LostLock(
                "the store of another root was put in the place of this one while this reconciler was at "
                "work; nothing was written; see `reconcile status`"
            )
        if found.is_before(expected):
            raise LostLock(
                "an older copy of the store was put back while this reconciler was at work (epoch "
                f"{found.epoch}, written to {found.writes:,} times, not epoch {self.epoch}, "
                f"{self._writes:,} times); nothing was written; see `reconcile status`"
            )
        return found.writes


def next_number(connection: apsw.Connection) -> int:
    """Return the number of the ledger's next row: above all that are, or were, in use, tombstones' too."""
    found = [
        connection.execute(f"SELECT coalesce(max(sequence), 0) FROM {table}").fetchone() or (0,)  # noqa: S608 - ours
        for table in ("ledger", "trash")
    ]
    return max(*(int(newest) for (newest,) in found), int(get_meta(connection, _NEWEST_NUMBER) or 0)) + 1


def _raise_epoch(
    connection: apsw.Connection, mirrored: int, newest_number: int | None, why: str | None, uid: str | None
) -> int:
    connection.execute("BEGIN IMMEDIATE")
    try:
        epoch = max(int(get_meta(connection, "epoch") or 0), mirrored) + 1
        put_meta(connection, "epoch", str(epoch))
        put_uid(connection, uid)
        if newest_number is not None and newest_number >= next_number(connection):
            put_meta(connection, _NEWEST_NUMBER, str(newest_number))
        if why is not None:
            mark_older(connection, why)
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    return epoch


def _roll_back(connection: apsw.Connection) -> None:
    """Undo the open transaction; on a full or failing disk SQLite may have done so itself."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
