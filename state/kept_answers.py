"""Answers by key in one file of a cache folder, which may be lost, stale or damaged at any time.

A file for each costs five times as much to read. Nothing is synced: an answer is given only when its own
digest is right, and a file that is no whole database is removed.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

_BUSY_MILLISECONDS = 1000
_MAX_ANSWER_BYTES = 64 * 1024 * 1024
_TABLE = "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, digest BLOB, answer BLOB)"


class KeptAnswers:
    """Answers that outlive the process. What cannot be read is absent, what cannot be written is not kept."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`, which is made when it is not there."""
        self.file = folder / "answers.db"
        self._connection: apsw.Connection | None = None
        self._is_of_no_use = False

    def get(self, key: str) -> bytes | None:
        """Return what was put under this key, or None."""
        found = self._execute("SELECT digest, answer FROM answers WHERE key = ?", key)
        digest, answer = found[0] if found else (b"", None)
        return answer if isinstance(answer, bytes) and digest == _digest(key, answer) else None

    def get_all(self, prefix: str) -> dict[str, bytes]:
        """Return what was put under every key that begins with this."""
        after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        statement = "SELECT key, digest, answer FROM answers WHERE key >= ? AND key < ?"
        found = self._execute(statement, prefix, after)
        return {
            key: answer
            for key, digest, answer in found
            if isinstance(answer, bytes) and digest == _digest(key, answer)
        }

    def put(self, key: str, answer: bytes) -> None:
        """Keep an answer, if that is possible."""
        if len(answer) <= _MAX_ANSWER_BYTES:
            self._execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", key, _digest(key, answer), answer
            )

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let many questions follow each other: the file is locked and looked at once, not for each.

        Keep it short: what other processes put meanwhile waits, then is not kept.
        """
        self._execute("BEGIN")
        try:
            yield
        finally:
            for end in ("COMMIT", "ROLLBACK"):
                if self._connection is not None and self._connection.in_transaction:
                    self._execute(end)

    def _execute(self, statement: str, *values: str | bytes) -> list[tuple[Any, ...]]:
        """Return the rows that a statement gives; none, too, where it cannot be executed."""
        if self._is_of_no_use:
            return []
        try:
            self._connection = self._connection or _opened(self.file)
            return self._connection.execute(statement, values).fetchall()
        except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError):
            self._start_again()
        except (apsw.BusyError, apsw.ReadOnlyError, apsw.FullError):
            self._is_of_no_use = self._connection is None
            if self._connection is not None:
                self._connection.set_busy_timeout(
                    0
                )  # whoever holds it is waited for once, not a thousand times
        except (apsw.Error, OSError):
            self._is_of_no_use = True
        return []

    def _start_again(self) -> None:
        """Remove the file: it is no whole database."""
        self._connection = None
        try:
            self.file.unlink(missing_ok=True)
        except OSError:
            self._is_of_no_use = True


def _opened(file: Path) -> apsw.Connection:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = apsw.Connection(str(file))
    connection.set_busy_timeout(_BUSY_MILLISECONDS)
    connection.pragma("trusted_schema", "off")
    connection.pragma("journal_mode", "memory")
    connection.pragma("synchronous", "off")
    connection.execute(_TABLE)
    return connection


def _digest(key: str, answer: bytes) -> bytes:
    """Return what tells a whole answer to this question from a damaged or foreign one."""
    return hashlib.sha256(key.encode() + b"\0" + answer).digest()
