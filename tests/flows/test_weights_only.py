"""Checkpoints that keep their weights only, in real training: less room, whole, and a place to begin from."""

import pytest
from lab import Lab, found_realm, realm, rows

ONE, TWO = "one/campaign-001", "one/campaign-002"


@pytest.mark.long
def test_older_checkpoints_keep_their_weights_and_another_campaign_begins_from_one(the_lab: Lab) -> None:
    lab = the_lab
    lab.write("data/a.jsonl", rows(range(160)))
    lab.write("data/b.jsonl", rows(range(200, 208)))
    found_realm(lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl", "for": [ONE]}])
    lab.converge()
    full = lab.manifests(ONE)
    rules = {"active": {"keep_checkpoints": 40, "keep_optimizer": 1}}
    lab.spec("retention", campaigns=rules, minimum_age="1ms")
    lab.commit("weights are enough of the older ones")
    lab.converge()

    kept = lab.manifests(ONE)
    oldest, newest = min(kept), max(kept)
    assert kept[newest] == full[newest]
    assert kept[oldest].demoted_from == full[oldest].digest
    assert {entry.path for entry in full[oldest].files} - {entry.path for entry in kept[oldest].files} == {
        "optimizer.safetensors"
    }
    assert "weights only" in lab.reconcile("get", "checkpoints", "--wide").stdout
    assert lab.plan()["changes"] == []
    rebuilt = lab.reconcile("doctor", "--rebuild")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert lab.plan()["changes"] == []

    lab.spec("campaigns/one/campaign-002", id="campaign-002", starting_checkpoint=f"{ONE}@{oldest}")
    lab.spec("queue", quests=[{"id": "b", "file": "data/b.jsonl", "for": [TWO]}])
    lab.spec("realm", **realm(TWO))
    lab.commit("a child of the weights")
    lab.converge()
    assert lab.status_of(TWO, "b") == "completed"
    assert lab.manifests(TWO)[oldest].demoted_from == full[oldest].digest
