"""The life of campaigns by commits: begun from a checkpoint, archived, restored, deleted as a file; nothing is lost."""

import json
import re

import pytest
from lab import Lab, found_realm, realm, rows, wait_until

ONE, TWO = "one/campaign-001", "one/campaign-002"


@pytest.fixture
def lab(the_lab: Lab) -> Lab:
    lab = the_lab
    lab.write("data/first.jsonl", rows(range(24)))
    lab.write("data/second.jsonl", rows(range(100, 130)))
    found_realm(lab, ["one"], ONE, [{"id": "first", "file": "data/first.jsonl", "for": [ONE]}])
    return lab


def losses(lab: Lab, campaign: str) -> dict[int, float]:
    """Return the loss of each update of the quest `second` that the campaign's trainers made."""
    found = {}
    for path in sorted(lab.layout.campaign(campaign).runs.glob("*/metrics.jsonl")):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            if record["kind"] == "update" and record["quest_id"] == "second":
                found[record["step"]] = record["loss"]
    return found


def test_a_campaign_that_begins_with_a_checkpoint_has_the_losses_of_its_source(lab: Lab) -> None:
    lab.converge()
    begun_at = lab.newest_step(ONE)
    lab.spec("campaigns/one/campaign-002", id="campaign-002", starting_checkpoint=f"{ONE}@latest")
    both = [{"id": "first", "file": "data/first.jsonl", "for": [ONE]},
            {"id": "second", "file": "data/second.jsonl", "for": [ONE, TWO]}]  # fmt: skip
    lab.spec("queue", quests=both)
    lab.commit("the source and its child learn the same quest")
    lab.converge()
    lab.spec("realm", **realm(TWO))
    lab.commit("the child's turn")
    lab.converge()

    source, child = losses(lab, ONE), losses(lab, TWO)

    assert min(child) == begun_at + 1
    assert len(child) == 14
    assert child == source
    record = json.loads(lab.layout.campaign(TWO).record.read_bytes())
    assert (record["starting_checkpoint"], record["starting_step"]) == (f"{ONE}@{begun_at}", begun_at)
    assert lab.plan()["changes"] == []


@pytest.mark.long
def test_an_archived_campaign_comes_back_and_trains_on(lab: Lab) -> None:
    lab.converge()
    steps = lab.newest_step(ONE)
    lab.spec("campaigns/one/campaign-001", id="campaign-001", state="archived")
    lab.spec("realm", **realm(None))
    lab.commit("rest")
    lab.converge()
    archived = lab.layout.campaign(ONE, archived=True)
    assert not lab.layout.campaign(ONE).folder.exists()
    assert archived.checkpoint(steps).is_dir()
    assert json.loads(archived.archive_summary.read_bytes())["final_checkpoint"]["step"] == steps
    assert "archived" in lab.reconcile("get", "campaigns", "--wide").stdout
    assert lab.plan()["changes"] == []

    lab.spec("campaigns/one/campaign-001", id="campaign-001")
    lab.spec("realm", **realm(ONE))
    lab.spec("queue", quests=[{"id": "second", "file": "data/second.jsonl"}])
    lab.commit("back to work")
    lab.converge()

    assert not archived.folder.exists()
    assert lab.newest_step(ONE) > steps
    assert lab.status_of(ONE, "second") == "completed"
    assert lab.plan()["changes"] == []


@pytest.mark.long
def test_a_campaign_that_trains_is_archived_once_its_trainer_has_saved(lab: Lab) -> None:
    lab.write("data/long.jsonl", rows(range(20_000)))
    lab.spec("queue", quests=[{"id": "long", "file": "data/long.jsonl"}])
    lab.commit("a long quest")
    process = lab.start("apply")
    wait_until(lambda: lab.newest_step(ONE) > 0, 100, "it has saved", say=lab.said)
    lab.spec("campaigns/one/campaign-001", id="campaign-001", state="archived")
    lab.spec("realm", **realm(None))
    lab.commit("enough")
    archived = lab.layout.campaign(ONE, archived=True)
    wait_until(archived.archive_summary.exists, 100, "it is archived", say=lab.said)
    process.terminate()
    process.wait()

    summary = json.loads(archived.archive_summary.read_bytes())
    assert not lab.processes()
    assert summary["final_checkpoint"]["step"] == max(row.step for row in lab.ledger(ONE))
    assert summary["quests"][0]["quest_id"] == "long"
    lab.converge()
    assert lab.plan()["changes"] == []


@pytest.mark.long
def test_a_checkpoint_is_there_when_who_asked_for_it_is_told_and_training_goes_on(lab: Lab) -> None:
    lab.write("data/long.jsonl", rows(range(500)))
    lab.spec("queue", quests=[{"id": "long", "file": "data/long.jsonl", "epochs": 500}])
    lab.commit("a long quest")
    process = lab.start("apply")
    told = lab.layout.campaign(ONE).runs
    wait_until(
        lambda: any('"update"' in file.read_text() for file in told.glob("*/metrics.jsonl")),
        100,
        "it trains",
        say=lab.said,
    )
    asked = lab.reconcile("checkpoint", "--wait", "--timeout", "100", timeout_seconds=150)
    assert asked.returncode == 0, asked.stderr
    said = re.fullmatch(r"checkpoint-(\d+) is there\n", asked.stdout)
    assert said is not None, asked.stdout
    assert lab.layout.campaign(ONE).checkpoint(int(said[1])).is_dir()
    assert lab.processes()
    process.terminate()
    process.wait()


def test_a_campaign_whose_file_is_deleted_while_it_trains_stops_and_keeps_everything(lab: Lab) -> None:
    lab.write("data/long.jsonl", rows(range(20_000)))
    lab.spec("queue", quests=[{"id": "long", "file": "data/long.jsonl"}])
    lab.commit("a long quest")
    process = lab.start("apply")
    wait_until(lambda: lab.newest_step(ONE) > 0, 100, "it has saved", say=lab.said)
    lab.repository.joinpath("specs/campaigns/one/campaign-001.yaml").unlink()
    lab.spec("campaigns/one/campaign-002", id="campaign-002", was="none", suspend={"reason": "later"})
    lab.spec("realm", **realm(TWO))
    lab.commit("the realm moves on, and the file goes")
    wait_until(lambda: not lab.processes(), 100, "its trainer has left", say=lab.said)
    process.terminate()
    process.wait()
    lab.reconcile("apply", "--once")  # the quest waits for its campaign, so this is no convergence

    row = next(row for row in lab.store().campaigns if row.name == ONE)
    assert row.status == "paused"
    assert lab.newest_step(ONE) == max(row.step for row in lab.ledger(ONE)) > 0
    assert "orphan" in lab.reconcile("get", "campaigns", "--wide").stdout
    assert lab.reconcile("new", "campaign", "one").returncode == 0
    assert not lab.repository.joinpath("specs/campaigns/one/campaign-001.yaml").exists()
    assert lab.repository.joinpath("specs/campaigns/one/campaign-003.yaml").exists()
