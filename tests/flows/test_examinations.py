"""A campaign that is examined, from the line of a skill's spec to every file that tells of it."""

import json

import pytest

pytest.importorskip("torch")

from lab import Lab, realm, rows, tiny_hero

from state.examinations import results_of

pytestmark = [pytest.mark.train, pytest.mark.long]

PIP = "pip/campaign-001"


def test_each_checkpoint_is_examined_and_every_file_tells_of_it(the_lab: Lab) -> None:
    lab = the_lab
    spec = realm(PIP)
    spec["defaults"]["checkpoint"]["every_updates"] = 4
    lab.spec("realm", **spec)
    lab.spec("heroes/pip", **tiny_hero("pip"))
    lab.spec("campaigns/pip/campaign-001", id="campaign-001", skills_focus=["bin"])
    exam = {"levels": [1, 2], "samples_per_level": 2, "max_new_tokens": 4, "over_evaluations": 1}
    source = {"command": ["python", "-m", "trainer", "generate", "bin"]}
    lab.spec("skills/bin", id="bin", max_level=30, source=source, evaluation=exam | {"pass_threshold": 0})
    lab.spec("queue", quests=[{"id": "sums", "file": "data/sums.jsonl"}])
    lab.write("data/sums.jsonl", rows(range(20)))
    lab.commit()
    lab.converge()

    ledger = lab.ledger(PIP)
    assert [row.step for row in ledger][:2] == [4, 8]
    for row in ledger:
        assert [(one.level, one.correct, one.total) for one in results_of(row)] == [(1, 0, 2), (2, 0, 2)]
    places = lab.layout.campaign(PIP)
    record = json.loads(places.record.read_bytes())
    assert record["peak_skill_levels"] == {"bin": 2}
    assert record["peak_metrics"]["highest_accuracy"] == 0.0
    assert [one["to_level"] for one in record["level_transitions"]] == [1, 2]
    curriculum = json.loads(places.curriculum_state.read_bytes())
    assert curriculum["skills"]["bin"]["training_level"] == 3
    assert len(curriculum["skills"]["bin"]["accuracy_history"]) == 2 * len(ledger)
    (best,) = json.loads(lab.reconcile("get", "checkpoints", "--best", "accuracy/bin", "--json").stdout)[
        "items"
    ]
    assert best["skill_metrics"] == {
        "bin": {"accuracy": 0.0, "accuracy_level_1": 0.0, "accuracy_level_2": 0.0}
    }
    (campaign,) = json.loads(lab.reconcile("get", "campaigns", "--json").stdout)["items"]
    assert campaign["statistics"]["xp"] == ledger[-1].step
    assert (campaign["statistics"]["acc"], campaign["statistics"]["gold"]) == (0.0, 100)
    assert not lab.plan()["changes"]

    lab.spec("skills/bin", id="bin", max_level=30, source=source, evaluation=exam | {"levels": [1]})
    lab.commit("one level is enough")
    assert [change["kind"] for change in lab.plan()["changes"]] == []
