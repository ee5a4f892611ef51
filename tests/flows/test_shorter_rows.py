"""A smaller max_length finds rows that came before it: they are named before any launch, and wait for its end."""

import json
from typing import Any

import pytest
from lab import Lab, found_realm, rows, wait_until

pytestmark = [pytest.mark.train, pytest.mark.timeout(900)]
ONE, TWO = "one/campaign-001", "two/campaign-001"
SAID = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "x" * 30}]
LONG = json.dumps({"messages": SAID}) + "\n"
"""52 tokens."""


def change(lab: Lab, max_length: int, campaign: str = ONE) -> None:
    overrides = {"max_length": max_length, "evaluation": {"held_out": 0}}
    lab.spec(f"campaigns/{campaign}", id="campaign-001", config_overrides=overrides)


def blocked(lab: Lab) -> list[dict[str, Any]]:
    return [item for item in lab.plan()["blocked"] if item["code"] != "waits"]


def is_named(lab: Lab, subject: str = "quest/a") -> bool:
    """Is the one line in the plan about the long row, with all that a person needs?"""
    plan = lab.plan()
    (told,) = (item for item in plan["blocked"] if item["code"] != "waits")
    assert (told["subject"], told["code"]) == (subject, "quest-rows")
    row = "a.jsonl: row 3: 52 tokens; expected at most 48 (max_length)."
    assert told["message"].startswith(row), told["message"]
    assert "it goes on by itself" in told["hint"]
    assert "reconcile validate --data" in told["hint"]
    assert told["cause"].startswith("specs/queue.yaml:")
    return not [one for one in plan["changes"] if one["verb"] == "launch"]


def test_a_quest_that_waits_again_is_named_before_a_launch_and_goes_on_when_the_change_is_undone(
    the_lab: Lab,
) -> None:
    the_lab.write("a.jsonl", rows(range(2)) + LONG)
    the_lab.write("b.jsonl", rows(range(2, 4)))
    quests = [{"id": "a", "file": "a.jsonl"}, {"id": "b", "file": "b.jsonl"}]
    found_realm(the_lab, ["one"], ONE, quests)
    change(the_lab, 64)
    the_lab.commit()
    the_lab.converge()
    assert len(the_lab.store().runs) == 1

    change(the_lab, 48)
    the_lab.spec("queue", quests=[quest | {"epochs": 2} for quest in quests])
    the_lab.commit()
    said = the_lab.converge()

    assert said.returncode == 3
    assert is_named(the_lab)
    assert [run.failure_class for run in the_lab.store().runs] == [None, None]  # the other quest was trained
    assert the_lab.status_of(ONE, "b") == "completed"
    assert the_lab.status_of(ONE, "a") == "queued"

    change(the_lab, 64)
    the_lab.commit()
    the_lab.converge()

    assert blocked(the_lab) == []
    assert the_lab.status_of(ONE, "a") == "completed"


def test_a_quest_in_progress_stops_with_a_save_and_goes_on_at_its_row_when_the_change_is_undone(
    the_lab: Lab,
) -> None:
    the_lab.write("a.jsonl", rows(range(2)) + LONG + rows(range(2, 1200)))
    found_realm(the_lab, ["one"], ONE, [{"id": "a", "file": "a.jsonl", "epochs": 2}])
    change(the_lab, 64)
    the_lab.commit()
    the_lab.start("apply")
    wait_until(lambda: the_lab.newest_step(ONE) >= 20, 100, "it trains", say=the_lab.said)

    change(the_lab, 48)
    the_lab.commit()
    wait_until(lambda: the_lab.store().runs[0].state == "ended", 100, "it stops", say=the_lab.said)
    wait_until(lambda: "blocked quest/a" in the_lab.said(), 100, "it is named", say=the_lab.said)

    assert is_named(the_lab)
    (run,) = the_lab.store().runs
    saved = the_lab.newest_step(ONE)
    assert (run.end, run.failure_class) == ("stopped", None)

    change(the_lab, 64)
    the_lab.commit()
    wait_until(lambda: the_lab.status_of(ONE, "a") == "completed", 120, "it is done", say=the_lab.said)

    assert [one.resume_step for one in the_lab.store().runs] == [run.resume_step, saved]


def test_rows_that_another_campaign_took_in_are_looked_through_as_this_one_trains_them(the_lab: Lab) -> None:
    the_lab.write("a.jsonl", rows(range(2)) + LONG)
    quest = {"id": "a", "file": "a.jsonl", "for": [ONE, TWO]}
    found_realm(the_lab, ["one", "two"], ONE, [quest])
    change(the_lab, 64)
    change(the_lab, 48, TWO)
    the_lab.commit()
    the_lab.converge()
    assert the_lab.status_of(ONE, "a") == "completed"

    the_lab.spec(
        "realm", **json.loads((the_lab.repository / "specs/realm.yaml").read_text()) | {"active": TWO}
    )
    the_lab.commit()
    the_lab.converge()

    (told,) = blocked(the_lab)
    assert told["message"].startswith("a.jsonl: row 3: 52 tokens; expected at most 48 (max_length).")
    assert len(the_lab.store().runs) == 1
