"""A reader changes nothing, and what is no store of this version is told."""

import os
import signal
import stat
from pathlib import Path

import apsw
import pytest
from children import in_child
from sample_rows import CAMPAIGN

from state.store import schema
from state.store.connection import StoreDamaged, open_reader, open_writer
from state.store.rows import CampaignRow
from state.store.schema import StoreTooNew
from state.store.tables import put, put_meta, select
from state.store.view import read_view
from state.store.writer import Writer


def test_a_reader_creates_no_file_and_changes_no_time(writer: Writer, path: Path) -> None:
    with writer.transaction() as store:
        put(store, [CAMPAIGN])
    writer.close()
    path.parent.chmod(0o500)
    before = (sorted(os.listdir(path.parent)), path.stat().st_mtime_ns)  # noqa: PTH208

    with open_reader(path) as store:
        assert read_view(store).campaigns == (CAMPAIGN,)

    assert (sorted(os.listdir(path.parent)), path.stat().st_mtime_ns) == before  # noqa: PTH208
    path.parent.chmod(0o700)


def test_a_reader_cannot_write(writer: Writer, path: Path) -> None:
    with open_reader(path) as store, pytest.raises(apsw.ReadOnlyError):
        put(store, [CAMPAIGN])


def test_a_store_that_was_killed_in_the_middle_of_a_write_is_read_from_a_copy(path: Path) -> None:
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [CAMPAIGN])
    writer.close()
    _leave_hot_journal(path)
    before = path.read_bytes()

    with open_reader(path) as store:
        assert select(store, CampaignRow) == (CAMPAIGN,)

    assert path.read_bytes() == before


def _leave_hot_journal(path: Path) -> None:
    """Die after changed pages reached the file and before the commit."""

    def work() -> None:
        store = open_writer(path)
        store.pragma("cache_size", 1)
        store.execute("BEGIN IMMEDIATE")
        store.execute("UPDATE campaigns SET status = 'active'")
        for number in range(200):
            put_meta(store, str(number), "x" * 4000)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(work) == -signal.SIGKILL
    assert path.with_name("realm.db-journal").stat().st_size > 0


def test_a_file_that_is_no_database_is_told(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to be taken for one" * 40)

    with pytest.raises(StoreDamaged, match="is not a database"):
        open_writer(path)
    with pytest.raises(StoreDamaged, match="doctor --rebuild makes it again"), open_reader(path):
        pytest.fail("it was opened")


def test_a_store_of_a_newer_version_is_left_alone(path: Path) -> None:
    Writer(open_writer(path)).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", schema.VERSION + 1)
    connection.close()

    with pytest.raises(StoreTooNew, match=f"has schema version {schema.VERSION + 1}; this software knows"):
        open_writer(path)


def test_without_a_store_there_is_nothing_to_read(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"realm\.db"), open_reader(path):
        pytest.fail("it was opened")
    assert not path.exists()


def test_the_store_is_private(writer: Writer, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_reader_refuses_a_store_of_a_newer_version(path: Path) -> None:
    connection = open_writer(path)
    connection.pragma("user_version", schema.VERSION + 1)
    connection.close()

    with pytest.raises(StoreTooNew, match="upgrade it"), open_reader(path):
        pytest.fail("it was opened")


def test_each_commit_is_on_the_disk_before_it_is_told(path: Path) -> None:
    """Journal and file are synced: with less, a power cut takes committed rows back."""
    store = open_writer(path)

    settings = store.pragma("synchronous"), store.pragma("journal_mode")

    store.close()
    assert settings == (2, "truncate")  # FULL, and no log of writes ahead that grows
