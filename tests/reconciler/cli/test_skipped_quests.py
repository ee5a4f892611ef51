"""A quest that was skipped or sent back, as the listings tell it; `skip` and `retry` of one that waits."""

import json
from pathlib import Path

import pytest

SKIPPED = "skipped by kim: later"


@pytest.fixture
def skipped(run, store, rows):
    """Give q1's job a status after somebody skipped it, and return the command."""
    actions = [change["action"] for change in json.loads(run("plan", "--json").stdout)["changes"]]
    key = next(one["source_key"] for one in actions if one.get("quest_id") == "q1")

    def as_it_is(**changes):
        row = {"source_key": key, "demoted": True, "last_error": SKIPPED, "final_step": None} | changes
        store.write([rows.job(**row)])
        return run

    return as_it_is


def shown(run, kind: str) -> str:
    """Return q1's line of a listing."""
    return next(line for line in run("get", kind, "--wide").stdout.splitlines() if line.startswith("q1"))


@pytest.mark.parametrize("status", ["completed", "processing"])
def test_a_job_that_is_learnt_or_being_learnt_is_not_told_as_skipped(skipped, status: str) -> None:
    assert shown(skipped(status=status), "jobs").rstrip().endswith(status)


@pytest.mark.parametrize("status", ["queued", "processing"])
def test_explain_says_of_a_quest_who_sent_it_behind_and_why(skipped, status: str) -> None:
    told = skipped(status=status)("explain", "quest/q1").stdout
    assert f"behind all others  {SKIPPED}; by pip/campaign-001" in told
    assert "demoted" not in told
    assert "behind all others" not in skipped(status=status, demoted=False)("explain", "quest/q1").stdout


def test_explain_says_of_a_quest_that_left_the_queue_who_skipped_it(skipped) -> None:
    assert SKIPPED in skipped(status="skipped")("explain", "quest/q1").stdout


def test_a_quest_that_was_skipped_once_waits_behind_all_others_in_both_listings(skipped) -> None:
    run = skipped(status="queued")
    told = f"queued, behind all others: {SKIPPED}"
    assert told in shown(run, "jobs")
    assert told in shown(run, "quests")
    (quest,) = json.loads(run("get", "quest", "q1", "--json").stdout)["items"]
    assert (quest["state"], quest["demoted"]) == ("queued", True)


def test_a_quest_that_was_skipped_twice_has_one_name_in_both_listings(skipped) -> None:
    run = skipped(status="skipped")
    assert shown(run, "jobs").rstrip().endswith(f"  {SKIPPED}")
    (quest,) = json.loads(run("get", "quest", "q1", "--json").stdout)["items"]
    assert (quest["state"], quest["message"]) == ("skipped", SKIPPED)


@pytest.mark.parametrize(
    ("status", "state", "why"),
    [
        ("processing", "processing", "its content changed after it was queued"),
        ("skipped", "blocked", "something of it was trained before"),
    ],
)
def test_a_quest_that_was_edited_is_called_as_what_was_queued_of_it(skipped, status, state, why) -> None:
    run = skipped(status=status, demoted=False, last_error=None, source_key="as it was before the edit")
    (quest,) = json.loads(run("get", "quest", "q1", "--json").stdout)["items"]
    assert quest["state"] == state
    assert why in quest["message"]


def test_a_job_that_waits_in_its_own_place_is_only_queued(skipped) -> None:
    run = skipped(status="queued", demoted=False, last_error=None)
    assert shown(run, "jobs").rstrip().endswith("  queued")
    assert "behind" not in shown(run, "quests")


@pytest.mark.parametrize("kind", ["skip", "retry"])
def test_a_quest_of_the_specs_that_waits_for_its_campaign_is_told_as_waiting(run, store, rows, kind) -> None:
    store.write([rows.job()])
    result = run(kind, "q2")
    assert result.exit_code == 1
    assert result.stderr == (
        f"reconcile: quest q2 (specs/queue.yaml:3) is not in the queue yet, so there is nothing to {kind}: "
        "it waits until mu/campaign-001 is active; choose the active campaign in specs/realm.yaml\n"
    )


def test_a_quest_that_no_spec_and_no_job_has_is_named_with_the_nearest_of_both(run, store, rows) -> None:
    store.write([rows.job()])
    result = run("retry", "q22")
    assert result.exit_code == 5
    assert 'there is no quest "q22"; known: q1, q2; did you mean "q2"?' in result.stderr


def test_a_quest_whose_content_cannot_be_had_says_what_it_is(run, lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: [{id: q1, file: data/none.jsonl}]\n")
    git(lab, "commit", "-qam", "a file that is not there")
    run("apply", "--once")
    said = run("retry", "q1").stderr
    assert "is not in the queue yet, so there is nothing to retry: data/none.jsonl: " in said
