"""The one writer: each transaction first checks that no later writer has taken over."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from state.failpoints import reach
from state.store.backups import back_up
from state.store.owed_rows import owe_rows, watch_changes
from state.store.tables import get_meta, put_meta

_NEWEST_NUMBER = "newest_number"


class LostLock(Exception):
    """Another reconciler has taken over this root; this one must not write any more."""


class Writer:
    """Transactions of the reconciler that holds the lock.

    Taking office raises the epoch by one, above `mirrored_epoch` too (the store may be an older copy);
    a transaction under an older epoch is refused. New rows of the ledger are numbered above `newest_number`,
    which an older copy does not know to be in use.
    """

    def __init__(
        self, connection: apsw.Connection, mirrored_epoch: int = 0, newest_number: int | None = None
    ) -> None:
        self._connection = connection
        self.is_older_copy = is_older_copy(connection, mirrored_epoch)
        """Somebody put an older store back: what happened since is not in it."""
        self.epoch = _raise_epoch(connection, mirrored_epoch, newest_number)
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


def is_older_copy(connection: apsw.Connection, mirrored_epoch: int) -> bool:
    """Did a later writer write down its epoch beside the store than the store knows?"""
    return int(get_meta(connection, "epoch") or 0) < mirrored_epoch


def next_number(connection: apsw.Connection) -> int:
    """Return the number of the ledger's next row: above all that are, or were, in use, tombstones' too."""
    found = [
        connection.execute(f"SELECT coalesce(max(sequence), 0) FROM {table}").fetchone() or (0,)  # noqa: S608 - ours
        for table in ("ledger", "trash")
    ]
    return max(*(int(newest) for (newest,) in found), int(get_meta(connection, _NEWEST_NUMBER) or 0)) + 1


def _raise_epoch(connection: apsw.Connection, mirrored: int, newest_number: int | None) -> int:
    connection.execute("BEGIN IMMEDIATE")
    try:
        epoch = max(int(get_meta(connection, "epoch") or 0), mirrored) + 1
        put_meta(connection, "epoch", str(epoch))
        if newest_number is not None and newest_number >= next_number(connection):
            put_meta(connection, _NEWEST_NUMBER, str(newest_number))
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    return epoch


def _roll_back(connection: apsw.Connection) -> None:
    """Undo the open transaction; on a full or failing disk SQLite may have done so itself."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
