"""A store of each earlier version is brought to this one, and loses nothing."""

from pathlib import Path

import msgspec
import pytest
from older_stores import CAME_WITH, assert_is_as_new, store_of_version, store_of_version_1
from sample_rows import CAMPAIGN, RUN, sample, stone

from state.store.connection import open_reader, open_writer
from state.store.journal_rows import ActionRow
from state.store.rows import CampaignRow, CopyRow, InboxRow, LedgerRow, RunRow, StoreView, TrashRow
from state.store.tables import put, select
from state.store.view import read_view
from state.store.writer import Writer


def brought_here(path: Path, row_type: type[msgspec.Struct]) -> tuple[msgspec.Struct, ...]:
    """Open a store with this version; return its rows of a type."""
    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        rows = select(store, row_type)
    writer.close()
    return rows


def only_looked_at(path: Path) -> StoreView:
    with open_reader(path) as store:
        return read_view(store)


def test_a_store_of_version_1_is_brought_to_this_one_and_loses_no_row(path: Path) -> None:
    ledger, action = store_of_version_1(path)

    writer = Writer(open_writer(path))

    with writer.transaction() as store:
        assert (select(store, LedgerRow), select(store, ActionRow)) == ((ledger,), (action,))
        assert (select(store, CampaignRow), select(store, RunRow)) == ((CAMPAIGN,), (RUN,))
        put(store, [msgspec.structs.replace(ledger, sequence=2, damage="a bit is flipped")])
        assert len(select(store, LedgerRow)) == 2
    writer.close()
    assert_is_as_new(path)


def test_a_store_of_version_1_is_read_without_changing_it(path: Path) -> None:
    ledger, _ = store_of_version_1(path)
    before = path.read_bytes()

    assert only_looked_at(path).ledger == (ledger,)

    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [version - 1 for version in CAME_WITH])
def test_what_later_versions_added_is_added_to_a_store_without_it(path: Path, version: int) -> None:
    store_of_version(path, version, RUN)
    Writer(open_writer(path)).close()
    assert_is_as_new(path)


def test_what_was_taken_back_before_version_8_overrules_the_line_that_stands(path: Path) -> None:
    store_of_version(path, 7, stone(1, "restored"), stone(-1, "restored"), stone(2, "trashed"))
    found = {one.sequence: one.overrules for one in brought_here(path, TrashRow)}
    assert found == {-1: "state: deleted", 1: "keep: metrics", 2: None}


def test_a_run_and_a_drop_of_before_version_9_are_of_the_first_segment(path: Path) -> None:
    store_of_version(path, 8, RUN, stone(2, "trashed"))
    view = only_looked_at(path)
    assert ([run.segment for run in view.runs], view.segments) == ([1], ())
    assert [one.thing for one in view.trash] == ["a/b@1"]


def test_a_ledger_of_version_9_has_examined_nothing(path: Path) -> None:
    store_of_version(path, 9, sample(LedgerRow))
    assert [row.skills_json for row in brought_here(path, LedgerRow)] == [""]


def test_a_run_of_version_10_took_nobody_knows_how_much_memory(path: Path) -> None:
    store_of_version(path, 10, RUN)
    assert [row.peak_memory_bytes for row in brought_here(path, RunRow)] == [None]


def test_a_store_of_version_11_has_read_nothing_again_and_copied_nothing(path: Path) -> None:
    store_of_version(path, 11, sample(LedgerRow))
    view = only_looked_at(path)
    assert ([row.verified_at for row in view.ledger], view.copies, view.scrub) == ([None], (), None)


def test_a_run_of_version_12_took_nobody_knows_how_long_for_its_updates(path: Path) -> None:
    store_of_version(path, 12, RUN)
    assert [(row.num_updates, row.busy_seconds) for row in brought_here(path, RunRow)] == [(None, None)]


def test_a_campaign_of_version_14_had_no_other_name(path: Path) -> None:
    store_of_version(path, 14, CAMPAIGN)
    assert [(row.former, row.folder_name) for row in brought_here(path, CampaignRow)] == [((), CAMPAIGN.name)]


def test_in_the_trash_of_version_15_nothing_kept_its_weights(path: Path) -> None:
    store_of_version(path, 15, stone(1, "trashed"))
    assert [row.keeps for row in brought_here(path, TrashRow)] == [None]


def test_a_run_of_version_16_took_nobody_knows_how_much_energy(path: Path) -> None:
    store_of_version(path, 16, RUN)
    assert [row.energy_joules for row in brought_here(path, RunRow)] == [None]


def test_what_version_17_took_in_stands_before_what_is_taken_in_now(path: Path) -> None:
    before = InboxRow(
        quest_id="z", name="z.jsonl", source_key="k", digest="d", num_rows=1, size_bytes=2, shape_json="{}",
        taken_at="2026-01-31T12:00:00Z",
    )  # fmt: skip
    store_of_version(path, 17, before)

    writer = Writer(open_writer(path))
    with writer.transaction() as store:
        put(store, [msgspec.structs.replace(before, quest_id="a", number=1)])
    writer.close()

    assert [row.quest_id for row in only_looked_at(path).inbox] == ["z", "a"]


def test_of_a_copy_and_a_full_form_of_version_18_nothing_is_known_against_them(path: Path) -> None:
    full, copy = stone(3, "trashed"), sample(CopyRow)
    store_of_version(path, 18, full, copy)
    assert (brought_here(path, TrashRow), brought_here(path, CopyRow)) == ((full,), (copy,))


def test_no_deletion_of_version_19_was_called_off(path: Path) -> None:
    store_of_version(path, 19, stone(-1, "trashed"))
    assert [row.wanted_at for row in brought_here(path, TrashRow)] == [None]
