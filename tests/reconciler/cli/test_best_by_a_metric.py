"""`get checkpoints --best METRIC`: its value is in the table at 80 columns, under the name that was asked for."""

from typing import Any

import msgspec

from reconciler.app.looking.get import Listing, with_best
from reconciler.app.looking.items import CheckpointItem
from reconciler.app.looking.ledger_queries import Query
from reconciler.cli.text_get import listing_text

WIDTH = 80


def item(step: int, **changes: Any) -> CheckpointItem:
    fields = {
        "id": f"tiny-adamw/campaign-001@{step}",
        "state": "complete",
        "step": step,
        "timestamp": f"2026-01-31T12:{step % 60:02}:00Z",
        "path": f"/root/{step}",
        "hero_id": "tiny-adamw",
        "campaign_id": "campaign-001",
        "sequence": step,
        "size_bytes": 5_800_000,
        "train_loss": 1.25,
        "val_loss": 1.5,
        "config_hash": "sha256:" + "a" * 64,
        "accuracy": 0.5,
    }
    return CheckpointItem(**(fields | changes))


def measured(step: int, accuracy: float) -> CheckpointItem:
    return item(step, skill_metrics={"bin": {"accuracy": accuracy}})


def told(metric: str, *items: CheckpointItem, width: int | None = WIDTH) -> list[str]:
    listing = Listing(kind="checkpoints", realm="lab", seen_at="2026-01-31T12:00:00Z", items=items)
    return listing_text(with_best(listing, Query(best=metric)), width).splitlines()


def test_the_value_of_the_metric_that_was_asked_for_has_room_before_all_others() -> None:
    header, row, *_ = told("accuracy/bin", measured(500, 0.625), measured(1121, 0.5))
    assert header.split()[:2] == ["CHECKPOINT", "accuracy/bin"]
    assert row.split()[:2] == ["tiny-adamw/campaign-001@500", "62.5%"]


def test_accuracy_has_one_name_in_every_table() -> None:
    header = told("accuracy/bin", measured(500, 0.625), width=None)[0]
    assert "EXACT" not in header
    assert "ACCURACY" in header.split()
    assert told("accuracy", measured(500, 0.625), width=None)[0].lower().split().count("accuracy") == 1


def test_a_loss_that_was_asked_for_stands_in_its_own_column_alone() -> None:
    header = told("val_loss", item(1), width=None)[0]
    assert header.count("HELD-OUT") == 1
    assert "VAL_LOSS" not in header


def test_checkpoints_that_tie_with_the_best_are_named() -> None:
    items = [measured(step, 0.5) for step in (500, 1000, 1121)]
    assert " ".join(told("accuracy/bin", *items)).endswith(
        "tiny-adamw/campaign-001@1121 is not alone: @500, @1000 have the same accuracy/bin; of equals the "
        "one recorded last is shown"
    )
    assert "not alone" not in " ".join(told("accuracy/bin", measured(1, 0.5), measured(2, 0.6)))


def test_the_rows_that_a_loss_was_measured_on_are_named_with_a_lower_one_on_others() -> None:
    easy, hard = item(1, val_loss=0.1, measured_on="quest easy"), item(2, measured_on="quest hard")
    assert " ".join(told("val_loss", easy, hard)).endswith(
        "tiny-adamw/campaign-001@2 was measured on the held-out rows of quest hard, the newest; "
        "@1 has 0.100 on those of quest easy, which says nothing beside it"
    )
    assert " ".join(told("val_loss", easy)).endswith("was measured on the held-out rows of quest easy")
    assert "held-out rows" not in " ".join(told("train_loss", easy, hard))


def test_of_many_that_tie_the_last_ones_are_named_and_the_others_counted() -> None:
    lines = told("accuracy/bin", *(measured(step, 0.5) for step in range(1, 12)))
    assert "4 more and @5, @6, @7, @8, @9, @10 have" in " ".join(lines)
    assert all(len(line) <= WIDTH for line in lines)


def test_json_says_metric_value_and_ties() -> None:
    listing = Listing(
        kind="checkpoints",
        realm="lab",
        seen_at="2026-01-31T12:00:00Z",
        items=(measured(1, 0.5), measured(2, 0.5)),
    )
    found = msgspec.to_builtins(with_best(listing, Query(best="accuracy/bin")))
    assert (found["metric"], [one["id"] for one in found["items"]]) == (
        "accuracy/bin",
        ["tiny-adamw/campaign-001@2"],
    )
    assert found["best"] == (
        {
            "id": "tiny-adamw/campaign-001@2",
            "value": 0.5,
            "measured_on": None,
            "on_other_rows": None,
            "on_other_rows_value": None,
            "other_rows": None,
            "ties": ("tiny-adamw/campaign-001@1",),
            "better_left": None,
            "better_value": None,
        },
    )


def test_a_better_checkpoint_of_a_segment_that_was_left_is_named_below_the_best_of_the_living_history() -> (
    None
):
    left = item(395, id="tiny-adamw/campaign-001@1:395", is_living=False, val_loss=0.198)
    _, row, *lines = told("val_loss", item(200, val_loss=0.221), left, item(300, val_loss=0.5), width=None)
    assert row.startswith("tiny-adamw/campaign-001@200 ")
    assert " ".join(lines) == (
        "tiny-adamw/campaign-001@200 is the best of the living history; of another segment, "
        "tiny-adamw/campaign-001@1:395 has 0.198"
    )
    worse = item(395, id="tiny-adamw/campaign-001@1:395", is_living=False, val_loss=0.3)
    assert len(told("val_loss", item(200, val_loss=0.221), worse, width=None)) == 2
