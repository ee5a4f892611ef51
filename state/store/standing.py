"""Was the store written to since? Who looks again and again reads what it says only after that."""

from pathlib import Path

import apsw

from state.store.connection import OlderStore, open_in_place
from state.store.schema import StoreTooNew

Mark = tuple[int, int, int]


class Standing:
    """Watches one store through a connection of its own, which holds no lock between two looks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: apsw.Connection | None = None
        self._inode: int | None = None

    def mark(self) -> Mark | None:
        """Return what differs once anybody wrote to the store or replaced it; None where nobody can tell.

        SQLite's data_version counts what other connections committed, those of this process too.
        """
        try:
            status = self._path.stat()
            if self._connection is None or self._inode != status.st_ino:
                self.close()
                self._connection, self._inode = open_in_place(self._path), status.st_ino
            return status.st_dev, status.st_ino, int(self._connection.pragma("data_version"))
        except (OSError, apsw.Error, OlderStore, StoreTooNew):
            self.close()
            return None

    def close(self) -> None:
        """Let go of the store."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
