"""Apply looks through rows before it takes them in; what cannot be trained is named and nothing of it is done."""

import json

import pytest
from lab import Lab, found_realm

pytestmark = [pytest.mark.train, pytest.mark.timeout(300)]
ONE = "one/campaign-001"


def rows(*answers: str) -> str:
    found = ({"prompt": f"{n}?", "completion": answer} for n, answer in enumerate(answers))
    return "".join(json.dumps(row) + "\n" for row in found)


def blocked(lab: Lab) -> list[str]:
    return [f"{item['subject']} {item['code']}: {item['message']}" for item in lab.plan()["blocked"]]


def test_a_row_that_is_too_long_is_named_by_apply_and_trains_once_it_is_mended(the_lab: Lab) -> None:
    the_lab.write("long.jsonl", rows("a", "x" * 90, "c"))
    the_lab.write("good.jsonl", rows("d", "e"))
    quests = [{"id": "long", "file": "long.jsonl"}, {"id": "good", "file": "good.jsonl"}]
    found_realm(the_lab, ["one"], ONE, quests)
    overrides = {"evaluation": {"held_out": 0}}
    the_lab.spec("campaigns/one/campaign-001", id="campaign-001", config_overrides=overrides)
    the_lab.commit()
    assert blocked(the_lab) == []  # plan itself looks through nothing

    said = the_lab.converge()

    assert f"looking through {the_lab.repository / 'long.jsonl'}" in said.stdout + said.stderr
    (message,) = blocked(the_lab)
    assert message.startswith("quest/long quest-file: long.jsonl: row 2: 113 tokens; expected at most 64")
    assert [job.quest_id for job in the_lab.store().jobs] == ["good"]
    assert the_lab.newest_step(ONE) == 1

    the_lab.write("long.jsonl", rows("a", "b", "c"))
    the_lab.commit()
    the_lab.converge()

    assert blocked(the_lab) == []
    assert {job.quest_id: job.status for job in the_lab.store().jobs} == {
        "good": "completed",
        "long": "completed",
    }
