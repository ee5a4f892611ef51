"""Open the store: one writer that survives a power cut, readers that change nothing on disk.

Journal mode TRUNCATE with full sync instead of WAL: a reader of a WAL store creates files beside it, and
`plan` must work on a read-only root. Fewer than ten commits a second are needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from state.store import schema

BUSY_MILLISECONDS = 10_000


class StoreDamaged(Exception):
    """The store's file is not a readable database."""


class OlderStore(Exception):
    """The store has the tables of an earlier version."""


def is_store_there(path: Path) -> bool:
    """Is there a store, whole or not? An empty file is none yet."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def open_writer(path: Path) -> apsw.Connection:
    """Open the store for writing, creating it when it is not there.

    Raises:
        StoreDamaged: the file is no database.
        StoreTooNew: a newer version wrote it.
    """
    connection = apsw.Connection(str(path))
    try:
        _set_up(connection)
        connection.pragma("journal_mode", "truncate")
        connection.pragma("synchronous", "full")
        schema.prepare(connection)
    except apsw.NotADBError as error:
        connection.close()
        raise StoreDamaged(
            f"{path} is not a database: {error}; reconcile doctor --rebuild makes it again"
        ) from error
    path.chmod(0o600)
    return connection


@contextmanager
def open_reader(path: Path) -> Iterator[apsw.Connection]:
    """Open the store for reading only; nothing on disk changes.

    After a crash the journal must be rolled back first, and an earlier version's tables brought to this one,
    which a reader may not do in place: then a copy is read instead.

    Raises:
        StoreDamaged: the file is no database.
        StoreTooNew: a newer version wrote it.
        FileNotFoundError: there is no store.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        connection = open_in_place(path)
    except (apsw.ReadOnlyError, OlderStore):
        import tempfile  # only after a crash or an upgrade

        with tempfile.TemporaryDirectory() as folder, _open_copy(path, Path(folder)) as connection:
            yield connection
        return
    except apsw.NotADBError as error:
        raise StoreDamaged(
            f"{path} is not a database: {error}; reconcile doctor --rebuild makes it again"
        ) from error
    try:
        yield connection
    finally:
        connection.close()


def open_in_place(path: Path) -> apsw.Connection:
    """Open the store itself for reading only, never a copy of it.

    Raises:
        apsw.Error: it cannot be read as it is; after a crash its journal must be rolled back first.
        OlderStore, StoreTooNew: another version wrote it.
    """
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        _set_up(connection)
        _refuse_older(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_older(connection: apsw.Connection) -> None:
    if schema.version_of(connection) < schema.VERSION:
        raise OlderStore


@contextmanager
def _open_copy(path: Path, folder: Path) -> Iterator[apsw.Connection]:
    import shutil

    journal = path.with_name(path.name + "-journal")
    copy = folder / path.name
    shutil.copyfile(path, copy)
    if journal.exists():
        shutil.copyfile(journal, folder / journal.name)
    connection = apsw.Connection(str(copy))
    try:
        _set_up(connection)
        schema.prepare(connection)
        yield connection
    finally:
        connection.close()


def _set_up(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.pragma("trusted_schema", "off")
