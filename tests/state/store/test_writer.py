"""One writer at a time, and a transaction is there whole or not at all."""

import signal
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from children import in_child
from sample_rows import CAMPAIGN

from state import failpoints
from state.store.connection import open_reader, open_writer
from state.store.older_copy import Written
from state.store.rows import CampaignRow
from state.store.tables import get_meta, put, put_meta, select
from state.store.view import read_view
from state.store.writer import LostLock, Writer


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.observe(None)


def test_a_transaction_that_fails_leaves_nothing(writer: Writer, path: Path) -> None:
    def write_and_fail() -> None:
        with writer.transaction() as store:
            put(store, [CAMPAIGN])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()

    with open_reader(path) as store:
        assert select(store, CampaignRow) == ()


def test_a_commit_that_fails_leaves_nothing_and_the_next_one_works(writer: Writer) -> None:
    failpoints.observe(lambda name: failpoints._produce("ENOSPC", name) if name == "store.commit" else None)
    with pytest.raises(OSError, match="No space left"), writer.transaction() as store:
        put(store, [CAMPAIGN])
    failpoints.observe(None)

    with writer.transaction() as store:
        assert select(store, CampaignRow) == ()
        put(store, [CAMPAIGN])


def test_a_store_that_may_not_grow_refuses_the_row_and_goes_on_afterwards(writer: Writer) -> None:
    with writer.transaction() as store:
        pages = store.pragma("page_count")
        store.pragma("max_page_count", pages)
    with pytest.raises(apsw.FullError), writer.transaction() as store:
        put_meta(store, "big", "x" * 1_000_000)

    with writer.transaction() as store:
        assert get_meta(store, "big") is None
        put_meta(store, "small", "x")


def test_the_writer_that_was_replaced_can_write_no_more(path: Path) -> None:
    first = Writer(open_writer(path))
    second = Writer(open_writer(path))

    with (
        pytest.raises(
            LostLock, match=r"took over this root \(epoch 2, this one has 1\); nothing was written"
        ),
        first.transaction() as store,
    ):
        put(store, [CAMPAIGN])

    with second.transaction() as store:
        assert select(store, CampaignRow) == ()
    first.close()
    second.close()


def test_the_epoch_is_above_every_one_before(path: Path) -> None:
    writer = Writer(open_writer(path), Written(41))
    writer.close()
    later = Writer(open_writer(path), Written(3))
    later.close()

    assert (writer.epoch, later.epoch) == (42, 43)


def test_an_older_copy_stays_one_for_every_later_writer_until_it_is_made_again(path: Path) -> None:
    writers = [Writer(open_writer(path), Written(epoch)) for epoch in (41, 42)]
    for writer in writers:
        writer.close()
    remade = Writer(open_writer(path.with_name("remade.db")), Written(43), is_remade=True)
    remade.close()

    assert [writer.is_older_copy for writer in (*writers, remade)] == [True, True, False]
    with open_reader(path) as store:
        assert read_view(store).older_copy == "its epoch is 0, the last one was 41"


def test_what_was_not_committed_when_its_writer_died_is_not_there(path: Path) -> None:
    Writer(open_writer(path)).close()

    def work() -> None:
        writer = Writer(open_writer(path))
        failpoints.observe(lambda name: failpoints._produce("kill", name) if name == "store.commit" else None)
        with writer.transaction() as store:
            put(store, [CAMPAIGN])

    assert in_child(work) == -signal.SIGKILL
    with open_reader(path) as store:
        assert select(store, CampaignRow) == ()
