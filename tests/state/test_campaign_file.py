"""campaign.json carries the names of the older systems, keeps what it does not know, and invents nothing."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from state.campaign_file import campaign_record, card_of, segments_of
from state.cards import CampaignCard, Milestone, decode_card, encode_card
from state.contract.goals import Goals
from state.formats import decode_record, encode_record
from state.store.rows import CampaignRow, LedgerRow, SegmentRow

CARD = CampaignCard(
    name="One", description="first", skills_focus=("bin",), config_overrides={"learning_rate": 0.1}
)
ROW = CampaignRow(uid="u", name="dio/campaign-001", status="active", created_at="2026-01-31T12:00:00Z")


def saved(step: int, sequence: int = 1, **changes: Any) -> LedgerRow:
    row = LedgerRow(
        campaign_uid="u", segment=1, step=step, sequence=sequence, timestamp="2026-01-31T12:34:56Z", path="p",
        canonical_name="c", train_loss=0.5, val_loss=None, learning_rate=0.1, training_file="sums",
        total_examples_trained=16 * step, size_bytes=9, has_optimizer=True, healthy=True, digest="blake3:0",
        parent_step=None, generation=1, attempt=1, config_hash="sha256:1", code_version="c", specs_commit="d",
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def card(**changes: Any) -> CampaignCard:
    return msgspec.structs.replace(CARD, **changes)


def test_a_new_campaigns_record_has_every_field_of_the_documents() -> None:
    """The wrong turn: config hash and code version were written by one writer and dropped by the other."""
    record = campaign_record(CARD, ROW, (), {})

    assert set(record) >= {
        "id", "hero_id", "name", "description", "created_at", "status", "starting_checkpoint", "starting_step",
        "current_step", "total_examples", "skills_focus", "config_overrides", "milestones", "archived_at",
        "code_version", "config_hash", "peak_skill_levels", "peak_metrics", "skill_effort", "level_transitions",
        "parent_campaign",
    }  # fmt: skip
    assert (record["current_step"], record["starting_checkpoint"], record["milestones"]) == (0, None, [])


def test_what_has_no_source_yet_is_empty_and_not_invented() -> None:
    record = campaign_record(CARD, ROW, (), {})

    assert record["peak_metrics"] == {"lowest_loss": None, "lowest_val_loss": None, "highest_accuracy": None}
    assert (record["peak_skill_levels"], record["skill_effort"], record["level_transitions"]) == ({}, {}, [])


def test_a_campaign_has_come_as_far_as_its_newest_checkpoint() -> None:
    record = campaign_record(CARD, ROW, (saved(100),), {"current_step": 7, "total_examples": 1})

    assert (record["current_step"], record["total_examples"]) == (100, 1600)


def test_a_damaged_checkpoint_and_one_of_another_segment_are_not_how_far_it_has_come() -> None:
    ledger = (
        saved(100),
        saved(200, 2, damage="a bit"),
        saved(300, 3, path="campaigns/h/c/segments/2/checkpoint-300"),
    )

    assert campaign_record(CARD, ROW, ledger, {})["current_step"] == 100


def test_the_peaks_are_over_all_saves_and_no_infinity_displaces_a_finite_best() -> None:
    ledger = (saved(1, train_loss=0.3, val_loss=0.9), saved(2, 2, train_loss=float("-inf"), val_loss=0.7))

    assert campaign_record(CARD, ROW, ledger, {"peak_metrics": {"highest_accuracy": 0.8}})["peak_metrics"] == {
        "lowest_loss": 0.3, "lowest_val_loss": 0.7, "highest_accuracy": 0.8,
    }  # fmt: skip


def test_what_only_the_file_knows_is_kept() -> None:
    existing = {
        "milestones": [{"step": 5, "note": "five", "metrics": None}],
        "starting_step": 50,
        "mood": "good",
    }

    record = campaign_record(CARD, ROW, (), existing)

    assert record["milestones"] == existing["milestones"]
    assert (record["starting_step"], record["current_step"], record["mood"]) == (50, 50, "good")


def test_what_the_store_and_the_spec_know_is_never_taken_from_the_file() -> None:
    existing = {"status": "archived", "name": "Old", "id": "campaign-009", "config_hash": "sha256:empty"}

    record = campaign_record(CARD, ROW, (), existing)

    assert (record["status"], record["name"], record["id"], record["config_hash"]) == (
        "active", "One", "campaign-001", None,
    )  # fmt: skip


def test_milestones_that_left_the_spec_do_not_come_back_from_the_file() -> None:
    """The wrong turn: merge-on-save brought deleted entries back."""
    existing = {"milestones": [{"step": 5, "note": "five"}], "mine": "kept"}

    record = campaign_record(card(milestones=()), ROW, (), existing)

    assert (record["milestones"], record["mine"]) == ([], "kept")


def test_a_milestone_carries_the_metrics_of_the_first_checkpoint_at_or_after_it() -> None:
    marked = card(milestones=(Milestone(step=150, note="half"), Milestone(step=900)))
    ledger = (saved(100), saved(200, 2, val_loss=0.25), saved(300, 3))

    assert campaign_record(marked, ROW, ledger, {})["milestones"] == [
        {
            "step": 150, "note": "half", "date": "2026-01-31T12:34:56Z",
            "metrics": {"checkpoint_step": 200, "train_loss": 0.5, "val_loss": 0.25},
        },
        {"step": 900, "note": "", "date": None, "metrics": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "goal", "status"),
    [
        ("active", Goals(updates=100), "active"),
        ("paused", Goals(updates=100), "completed"),
        ("paused", Goals(updates=101), "paused"),
        ("paused", Goals(tokens=5, updates=900), "completed"),
        ("paused", Goals(quests=3), "paused"),
        ("paused", Goals(), "paused"),
        ("archived", Goals(updates=100), "archived"),
    ],
)
def test_completed_is_a_paused_campaign_whose_goal_is_reached(row: Any, goal: Goals, status: str) -> None:
    ledger = (saved(100, tokens_seen=5, quests_done=2),)

    record = campaign_record(card(goal=goal), msgspec.structs.replace(ROW, status=row), ledger, {})

    assert record["status"] == status


def test_where_a_campaign_began_is_said_as_the_older_systems_do() -> None:
    row = msgspec.structs.replace(ROW, starting_checkpoint="ada/campaign-007@500", starting_step=500)

    record = campaign_record(CARD, row, (), {"starting_checkpoint": None})

    assert (record["starting_checkpoint"], record["starting_step"], record["current_step"]) == (
        "ada/campaign-007@500", 500, 500,
    )  # fmt: skip
    assert record["parent_campaign"] == {
        "hero_id": "ada", "campaign_id": "campaign-007", "checkpoint": "checkpoint-500", "step": 500,
    }  # fmt: skip


def test_when_it_was_archived_is_said_only_while_it_is() -> None:
    row = msgspec.structs.replace(ROW, status="archived", archived_at="2026-02-01T00:00:00Z")

    assert campaign_record(CARD, row, (), {})["archived_at"] == "2026-02-01T00:00:00Z"
    paused = msgspec.structs.replace(row, status="paused")
    assert campaign_record(CARD, paused, (), {"archived_at": "2025-01-01"})["archived_at"] is None


def test_writing_a_record_again_changes_nothing() -> None:
    once = encode_record(campaign_record(CARD, ROW, (saved(100),), {"mood": "good"}))

    assert encode_record(campaign_record(CARD, ROW, (saved(100),), decode_record(once))) == once


def test_the_card_comes_back_out_of_a_record_and_of_a_row() -> None:
    marked = card(goal=Goals(tokens=9), milestones=(Milestone(step=1),))

    assert card_of(campaign_record(CARD, ROW, (), {})) == CARD
    assert decode_card(encode_card(marked)) == marked
    assert decode_card("") is None


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"id": "campaign-001"}, "no 'name' in the record"),
        ({"name": 3, "description": "", "skills_focus": [], "config_overrides": {}}, "Expected `str`"),
    ],
)
def test_a_record_without_a_card_is_told(record: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        card_of(record)


def real_records(cases: Path) -> list[dict[str, Any]]:
    return [
        json.loads(path.read_bytes())
        for path in sorted(cases.glob("older-roots/*/campaigns/*/*/campaign.json"))
    ]


def test_no_field_of_a_real_older_record_is_lost(cases: Path) -> None:
    records = real_records(cases)

    assert records
    for existing in records:
        assert set(campaign_record(CARD, ROW, (), existing)) >= set(existing)


def test_how_segments_began_is_read_back_and_what_is_no_such_thing_is_left_out() -> None:
    begun = SegmentRow(
        campaign_uid=ROW.uid,
        number=2,
        kind="rollback",
        wanted="rewind to 10: better",
        reason="better",
        parent_segment=1,
        parent_step=10,
        parent_digest="blake3:10",
        rate_factor=0.5,
        begun_at="2026-02-01T00:00:00Z",
    )

    record = decode_record(encode_record(campaign_record(CARD, ROW, (), {}, (begun,))))

    assert list(segments_of(record, ROW.uid)) == [begun]
    for strange in (None, "x", [1], [{"number": 2}], [record["segments"][0] | {"parent_step": "ten"}]):
        assert list(segments_of(record | {"segments": strange}, ROW.uid)) == []
    assert "segments" not in campaign_record(CARD, ROW, (), {})
