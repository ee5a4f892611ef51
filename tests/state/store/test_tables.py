"""Rows come back as they were written, and keep the rules of their tables."""

from pathlib import Path

import apsw
import msgspec
import pytest
from sample_rows import CAMPAIGN, failed, sample

from state.store import requests
from state.store.connection import open_writer
from state.store.journal_rows import BROKEN_OFF, ActionRow, LastFailure
from state.store.rows import CampaignRow, LedgerRow
from state.store.schema import TABLES
from state.store.tables import put, select, select_one
from state.store.view import read_view
from state.store.writer import Writer


@pytest.mark.parametrize("row_type", list(TABLES), ids=lambda row_type: row_type.__name__)
def test_a_row_comes_back_as_it_was_written(row_type: type[msgspec.Struct], writer: Writer) -> None:
    row = sample(row_type)
    with writer.transaction() as store:
        put(store, [row])

        assert select(store, row_type) == (row,)


def test_a_row_with_the_same_key_is_replaced(writer: Writer) -> None:
    with writer.transaction() as store:
        put(store, [CAMPAIGN, msgspec.structs.replace(CAMPAIGN, status="active")])

        assert [row.status for row in select(store, CampaignRow)] == ["active"]


def test_two_campaigns_cannot_have_one_name(writer: Writer) -> None:
    with pytest.raises(apsw.ConstraintError, match=r"campaigns\.name"), writer.transaction() as store:
        put(store, [CAMPAIGN, msgspec.structs.replace(CAMPAIGN, uid="v")])


def test_the_journal_may_have_one_action_twice(writer: Writer) -> None:
    first = msgspec.structs.replace(sample(ActionRow), id="same", number=1, state="done")
    with writer.transaction() as store:
        put(store, [first, msgspec.structs.replace(first, number=2)])

        assert [row.number for row in select(store, ActionRow)] == [1, 2]


def test_the_ledger_keeps_every_save_of_a_step(writer: Writer) -> None:
    """The wrong turn: the ledger was keyed by bare step."""
    first = msgspec.structs.replace(sample(LedgerRow), step=100, sequence=1)
    others = [
        msgspec.structs.replace(first, segment=2, sequence=2),
        msgspec.structs.replace(first, sequence=3),
    ]
    with writer.transaction() as store:
        put(store, [first, *others])

        assert len(select(store, LedgerRow)) == 3


def test_requests_are_numbered_and_handled_ones_are_not_planned(path: Path) -> None:
    store = open_writer(path)
    first = requests.ask(
        store, kind="pause", campaign="a/b", by="kim", why="lunch", at="2026-01-31T12:00:00Z"
    )
    second = requests.ask(store, kind="resume", campaign="a/b", by="kim", why="", at="2026-01-31T13:00:00Z")
    found = requests.find(store, first)
    assert found is not None
    put(store, [msgspec.structs.replace(found, handled_at="2026-01-31T12:30:00Z")])

    assert (first, second) == (1, 2)
    assert [request.id for request in read_view(store).requests] == [second]
    assert select_one(store, CampaignRow, "WHERE uid = ?", "u") is None
    store.close()


def test_the_last_failures_of_what_has_not_succeeded_since_are_known_but_for_what_was_broken_off(
    writer: Writer,
) -> None:
    rows = [failed(1), failed(2, state="done"), failed(3), failed(4, permanent=False, outcome="full")]
    rows += [failed(5, outcome=BROKEN_OFF), failed(6, id="b", outcome=BROKEN_OFF)]
    with writer.transaction() as store:
        put(store, [msgspec.structs.replace(row, epoch=writer.epoch - (row.number == 3)) for row in rows])

    (last,) = read_view(writer._connection).last_failures

    assert last == LastFailure(
        id="a",
        failed_at=("2026-01-31T12:00:03Z", "2026-01-31T12:00:04Z"),
        outcome="full",
        permanent=False,
        epoch=writer.epoch,
        num_in_office=1,
    )


def test_what_failed_for_good_is_counted_since_it_last_succeeded(writer: Writer) -> None:
    rows = [failed(1), failed(2, state="done"), failed(3), failed(4), failed(5, id="b", permanent=False)]
    with writer.transaction() as store:
        put(store, [msgspec.structs.replace(row, epoch=writer.epoch) for row in rows])
        put(store, [failed(6, id="c", epoch=writer.epoch - 1, outcome="disk")])

    view = read_view(writer._connection)

    assert [(one.id, one.failed_at, one.outcome) for one in view.failed_actions] == [
        ("a", ("2026-01-31T12:00:03Z", "2026-01-31T12:00:04Z"), "no"),
        ("c", ("2026-01-31T12:00:06Z",), "disk"),
    ]
