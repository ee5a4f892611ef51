"""The one writer: each transaction first checks that no later writer has taken over."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from state.failpoints import reach
from state.store.backups import back_up
from state.store.older_copy import mark_older, older_copy_of, why_older
from state.store.owed_rows import owe_rows, watch_changes
from state.store.tables import get_meta, put_meta

_NEWEST_NUMBER = "newest_number"


class LostLock(Exception):
    """Another reconciler has taken over this root; this one must not write any more."""


class Writer:
    """Transactions of the reconciler that holds the lock.

    Taking office raises the epoch by one, above `mirrored_epoch` too (the store may be an older copy);
    a transaction under an older epoch is refused. New rows of the ledger are numbered above `newest_number`,
    which an older copy does not know to be in use. That it is one is written into it, since its epoch does
    not show it any more. One that is being made anew from the files beside it (`is_remade`) is none.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        mirrored_epoch: int = 0,
        newest_number: int | None = None,
        *,
        is_remade: bool = False,
    ) -> None:
        self._connection = connection
        why = None if is_remade else why_older(connection, mirrored_epoch)
        self.epoch = _raise_epoch(connection, mirrored_epoch, newest_number, why)
        self.is_older_copy = bool(older_copy_of(connection))
        """Somebody put an older store back, which is not made again yet: what happened since is not in it."""
        self._changed: set[str] = set()
        watch_changes(connection, self._changed.add)

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Commit what the block writes as a whole, or nothing of it.

        Raises:
            LostLock: a later writer has taken over.
        """
        reach("store.begin")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._check_epoch()
            self._changed.clear()
            yield self._connection
            owe_rows(self._connection, self._changed)
            reach("store.commit")
            self._connection.execute("COMMIT")
        except BaseException:
            _roll_back(self._connection)
            raise
        reach("store.committed")

    def back_up(self, folder: Path, day: str) -> Path | None:
        """Copy the store into a folder unless the day has a copy; raises as `backups.back_up` does."""
        return back_up(self._connection, folder, day)

    def close(self) -> None:
        """Close the store's file."""
        self._connection.close()

    def _check_epoch(self) -> None:
        current = int(get_meta(self._connection, "epoch") or 0)
        if current != self.epoch:
            raise LostLock(
                f"another reconciler took over this root (epoch {current}, this one has {self.epoch}); "
                "nothing was written; see `reconcile status`"
            )


def next_number(connection: apsw.Connection) -> int:
    """Return the number of the ledger's next row: above all that are, or were, in use, tombstones' too."""
    found = [
        connection.execute(f"SELECT coalesce(max(sequence), 0) FROM {table}").fetchone() or (0,)  # noqa: S608 - ours
        for table in ("ledger", "trash")
    ]
    return max(*(int(newest) for (newest,) in found), int(get_meta(connection, _NEWEST_NUMBER) or 0)) + 1


def _raise_epoch(
    connection: apsw.Connection, mirrored: int, newest_number: int | None, why: str | None
) -> int:
    connection.execute("BEGIN IMMEDIATE")
    try:
        epoch = max(int(get_meta(connection, "epoch") or 0), mirrored) + 1
        put_meta(connection, "epoch", str(epoch))
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
