"""`get checkpoints` with its questions, and `get legends`, through the real command."""

import json
from pathlib import Path

import msgspec
import pytest


@pytest.fixture
def ledger(store, rows):
    """A realm whose ledger has three checkpoints of which none lies there any more."""
    store.write(
        rows.ledger(step=step, sequence=number, val_loss=loss)
        for number, (step, loss) in enumerate([(100, 0.5), (200, 0.3), (300, None)], 1)
    )
    return store


def test_the_checkpoints_of_one_campaign_are_listed_by_its_name(run, ledger) -> None:
    listing = json.loads(run("get", "checkpoints", "pip/campaign-001", "--json").stdout)
    assert [item["id"] for item in listing["items"]] == [
        f"pip/campaign-001@{step}" for step in (100, 200, 300)
    ]


def test_the_checkpoints_of_a_hero_are_those_of_all_its_campaigns(run, ledger) -> None:
    listing = json.loads(run("get", "checkpoints", "pip", "--json").stdout)
    assert [item["step"] for item in listing["items"]] == [100, 200, 300]
    assert run("get", "checkpoints", "mu").stdout == "no checkpoints\n"
    assert run("get", "checkpoints", "nobody").exit_code == 5


def test_a_list_with_a_limit_has_the_newest_and_says_how_many_there_are(run, store, rows) -> None:
    saved = [(100, "2026-01-31T12:30:00Z"), (200, "2026-01-31T12:10:00Z"), (300, "2026-01-31T12:20:00Z")]
    store.write(
        rows.ledger(step=step, sequence=number, timestamp=at) for number, (step, at) in enumerate(saved, 1)
    )
    listing = json.loads(run("get", "checkpoints", "--limit", "2", "--json").stdout)
    assert [item["step"] for item in listing["items"]] == [100, 300]
    assert listing["num_left_out"] == 1
    assert run("get", "checkpoints", "--limit", "2").stdout.endswith("\nThe newest 2 of 3 checkpoints.\n")
    assert run("get", "quests", "--limit", "1").stdout.endswith("\nThe first 1 of 2 quests.\n")
    assert json.loads(run("get", "checkpoints", "--limit", "3", "--json").stdout)["num_left_out"] == 0
    assert run("get", "checkpoints", "--limit", "0").exit_code == 64


def test_the_history_with_a_limit_has_the_newest_launches(run, store, rows) -> None:
    store.write([rows.run(attempt=1), rows.run(attempt=2, launched_at="2026-01-31T13:00:00Z")])
    found = json.loads(run("history", "--limit", "1", "--json").stdout)
    assert ([one["attempt"] for one in found["launches"]], found["num_left_out"]) == ([2], 1)
    assert run("history", "--limit", "1").stdout.endswith("\nthe newest 1 of 2 launches\n")
    assert run("history", "--limit", "2").stdout.endswith("\n2 launches\n")


def test_a_dropped_checkpoint_is_in_the_trash_and_not_missing(run, ledger, rows) -> None:
    stone = rows.trash(step=100)
    ledger.write([stone, msgspec.structs.replace(stone, sequence=2, step=200, state="purged")])
    items = json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    assert [item["state"] for item in items] == ["trashed", "purged", "missing"]
    assert items[0]["path"] == str(ledger.layout.root / stone.path)
    assert items[0]["reason"] == "rolled out of the last 2"


def test_json_has_the_field_names_of_older_systems(run, ledger) -> None:
    (item,) = json.loads(run("get", "checkpoints", "--step", "200", "--json").stdout)["items"]
    assert item["timestamp"] == "2026-01-31T12:10:00Z"
    assert (item["hero_id"], item["campaign_id"], item["training_file"]) == ("pip", "campaign-001", "q1")
    assert (item["canonical_name"], item["has_optimizer"]) == ("checkpoint-125-20260131-1210", True)
    assert (item["total_examples_trained"], item["ledger_version"], item["skill_metrics"]) == (
        10,
        "1.2.0",
        {},
    )


def test_a_summary_is_a_line_for_each_campaign(run, ledger) -> None:
    said = " ".join(run("get", "checkpoints", "--summary", "--wide").stdout.split())
    assert "pip/campaign-001 0 0 B 100 → 300 2026-01-31 12:10 – 2026-01-31 12:10 3 missing" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["checkpoints", "--best", "val_los"], 64, 'did you mean "val_loss"?'),
        (["checkpoints", "--best", "val_loss"], 5, "no complete checkpoint has val_loss"),
        (["checkpoints", "--latest"], 5, "there is no complete checkpoint yet"),
        (
            ["checkpoints", "--step", "150"],
            5,
            "there is no checkpoint at step 150; the nearest: 100, 200, 300",
        ),
        (["checkpoints", "--step", "-1"], 64, "-1 is not in the range"),
        (["checkpoints", "--latest", "--summary"], 64, "choose one"),
        (["jobs", "--latest"], 64, "are about checkpoints, not jobs"),
        (["checkpoints", "pip/campaign-009", "--latest"], 5, 'there is no checkpoint "pip/campaign-009"'),
    ],
)
def test_a_question_without_an_answer_says_why(
    run, ledger, arguments: list[str], code: int, said: str
) -> None:
    result = run("get", *arguments)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr


def test_the_hall_of_legends_lists_how_archived_campaigns_ended(run, ledger, rows, lab: Path) -> None:
    assert run("get", "legends").stdout == "no legends\n"
    ledger.write([rows.campaign(status="archived", archived_at="2026-02-01T08:00:00Z"), rows.job()])
    (legend,) = json.loads(run("get", "legends", "--json").stdout)["items"]
    assert (legend["id"], legend["step"], legend["best_step"], legend["best_val_loss"]) == (
        "pip/campaign-001",
        300,
        200,
        0.3,
    )
    assert (legend["num_quests"], legend["name"]) == (1, "First light")
    assert legend["path"].endswith("/campaigns/archive/pip/campaign-001-archived")
    said = " ".join(run("get", "legends", "--wide").stdout.split())
    assert "pip/campaign-001 2026-02-01 08:00 300 0.410 0.300 @200 1 0 (0 B) First light" in said
