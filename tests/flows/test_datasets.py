"""Rows of any declared shape train; what nobody declared is refused with what to write."""

import json
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, found_realm, tiny_hero

pytestmark = [pytest.mark.train, pytest.mark.timeout(900)]
ONE = "one/campaign-001"


def blocked(lab: Lab) -> list[str]:
    return [f"{item['subject']} {item['code']}: {item['message']}" for item in lab.plan()["blocked"]]


def learnt_rows(lab: Lab) -> dict[str, int]:
    """Return how many rows of each quest its updates have trained."""
    found: dict[str, int] = {}
    for record in lab.records("update"):
        found[record["quest_id"]] = found.get(record["quest_id"], 0) + record["rows"]
    return found


def lines(*found: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in found)


def test_each_declared_shape_trains_every_row_once(the_lab: Lab) -> None:
    numbers = range(6)
    shapes = {
        "question_answer": [{"question": f"{n}+1?", "answer": f"{n + 1}"} for n in numbers],
        "user_prompt_assistant_response": [
            {"user_prompt": f"{n}+2?", "assistant_response": f"{n + 2}"} for n in numbers
        ],
        "instruction": [{"instruction": "Add 3.", "input": f"{n}", "output": f"{n + 3}"} for n in numbers],
        "text": [{"text": f"{n} and 4 are {n + 4}."} for n in numbers],
    }
    for kind, found in shapes.items():
        the_lab.write(f"data/{kind}.jsonl", lines(*found))
        the_lab.spec(f"datasets/{kind}", id=kind, kind=kind)
    the_lab.write(
        "data/pairs.jsonl", lines(*({"prompt": f"{n}+5?", "completion": f"{n + 5}"} for n in numbers))
    )
    quests = [{"id": kind.replace("_", "-"), "file": f"data/{kind}.jsonl"} for kind in (*shapes, "pairs")]
    found_realm(the_lab, ["one"], ONE, quests)
    the_lab.spec(
        "campaigns/one/campaign-001", id="campaign-001", config_overrides={"evaluation": {"held_out": 0}}
    )
    the_lab.commit()

    the_lab.converge()

    assert learnt_rows(the_lab) == {quest["id"]: 6 for quest in quests}
    assert blocked(the_lab) == []


@pytest.mark.long
def test_invalid_rows_are_left_out_up_to_the_share_and_the_others_train(the_lab: Lab) -> None:
    rows = [{"question": f"{n}+1?", "answer": f"{n + 1}"} for n in range(20)]
    rows[4]["answer"] = ""
    the_lab.write("data/sums.jsonl", lines(*rows))
    the_lab.spec("datasets/sums", id="sums", kind="question_answer")
    found_realm(the_lab, ["one"], ONE, [{"id": "sums", "file": "data/sums.jsonl", "dataset": "sums"}])
    the_lab.spec(
        "campaigns/one/campaign-001", id="campaign-001", config_overrides={"evaluation": {"held_out": 0}}
    )
    the_lab.commit()
    the_lab.converge()
    assert blocked(the_lab) == [
        'quest/sums quest-file: data/sums.jsonl: row 5: field "answer" is empty; '
        'expected the fields "question" and "answer", as text that is not empty. Fill it or remove the row.'
    ]

    the_lab.spec("datasets/sums", id="sums", kind="question_answer", max_invalid_fraction=0.05)
    the_lab.commit()
    said = the_lab.converge()

    assert learnt_rows(the_lab) == {"sums": 19}
    told = " ".join(said.stdout.split())
    assert "take in quest sums 19 rows, 705 B; 1 invalid left out: row 5: field" in told


def test_gsm8k_is_refused_before_a_spec_names_its_shape_and_trains_after(the_lab: Lab, cases: Path) -> None:
    hero = tiny_hero("one", max_length=4096)
    hero["model"]["context_length"] = 4096
    found_realm(the_lab, ["one"], ONE, [{"id": "gsm8k", "file": str(cases / "gsm8k" / "train.jsonl")}])
    the_lab.spec("heroes/one", **hero)
    held_out = {"file": str(cases / "gsm8k" / "test.jsonl")}  # its shape is the one that the dataset declares
    overrides = {"evaluation": {"held_out": held_out, "max_rows": 2}}
    the_lab.spec(
        "campaigns/one/campaign-001", id="campaign-001", goal={"updates": 3}, config_overrides=overrides
    )
    the_lab.commit()
    the_lab.converge()
    messages = blocked(the_lab)
    assert len(messages) == 2, messages  # the quest's file, and the one to measure with
    for message in messages:
        assert 'row 1: unknown row shape, found the keys "question", "answer"' in message
        assert "kind: question_answer" in message

    the_lab.spec("datasets/gsm8k", id="gsm8k", kind="question_answer")
    the_lab.commit()
    the_lab.converge()

    assert the_lab.newest_step(ONE) == 3
    (job,) = the_lab.store().jobs
    assert (job.num_examples, learnt_rows(the_lab)) == (7473, {"gsm8k": 6})


@pytest.mark.long
def test_a_held_out_file_may_have_any_shape_that_a_quest_may_have(the_lab: Lab) -> None:
    lines = [json.dumps({"prompt": f"{n}+1", "completion": str(n + 1)}) for n in range(20)]
    the_lab.write("data/sums.jsonl", "\n".join(lines[:8]) + "\n")
    the_lab.write("data/measured.jsonl", "\n".join(lines[8:]) + "\n")
    found_realm(the_lab, ["one"], ONE, [{"id": "sums", "file": "data/sums.jsonl"}])
    overrides = {"evaluation": {"held_out": {"file": "data/measured.jsonl"}}}
    the_lab.spec("campaigns/one/campaign-001", id="campaign-001", config_overrides=overrides)
    the_lab.commit()

    the_lab.converge()

    (job,) = the_lab.store().jobs
    assert (job.status, job.final_val_loss is not None) == ("completed", True)
    assert learnt_rows(the_lab) == {"sums": 8}
