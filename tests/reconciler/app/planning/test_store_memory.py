"""A loop reads what the store says when somebody wrote to it, and not before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.app.planning.store_memory import StoreMemory
from state.layout import Layout
from state.store.connection import open_writer
from state.store.tables import put_meta
from state.store.writer import Writer


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


@pytest.fixture
def writer(layout: Layout) -> Iterator[Writer]:
    writer = Writer(open_writer(layout.store))
    yield writer
    writer.close()


@pytest.fixture
def memory(layout: Layout) -> Iterator[StoreMemory]:
    memory = StoreMemory(layout)
    yield memory
    memory.close()


def write(writer: Writer, uid: str) -> None:
    with writer.transaction() as store:
        put_meta(store, "realm_uid", uid)


def test_what_nobody_wrote_to_is_not_read_again(writer, memory) -> None:
    write(writer, "a")
    _, second, third = memory.read(), memory.read(), memory.read()
    assert second.realm_uid == "a"
    assert third is second


def test_what_was_written_since_is_read(writer, memory) -> None:
    for uid in ("a", "b", "a", "c"):
        write(writer, uid)
        assert [memory.read().realm_uid, memory.read().realm_uid] == [uid, uid]


def test_a_store_that_comes_and_goes_is_seen(layout, memory, tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        memory.read()
    for uid in ("a", "b"):
        writer = Writer(open_writer(layout.store))
        write(writer, uid)
        assert [memory.read().realm_uid, memory.read().realm_uid] == [uid, uid]
        writer.close()
        layout.store.rename(tmp_path / f"{uid}.db")
        with pytest.raises(FileNotFoundError):
            memory.read()
