"""Files dropped into the inbox, as a person drops them: trained once, refused by row, or left until they are whole."""

import json
import os
from pathlib import Path

import pytest
from lab import Lab, found_realm, realm, rows

ONE = "one/campaign-001"


def drop(lab: Lab, name: str, text: str, age_seconds: float = 60) -> Path:
    """Drop a file that was changed so long ago."""
    path = lab.layout.inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    changed = path.stat().st_mtime - age_seconds
    os.utime(path, (changed, changed))
    return path


def quests(lab: Lab) -> dict[str, str]:
    """Return the state of each quest, as `get` tells it."""
    listed = json.loads(lab.reconcile("get", "quests", "--json").stdout)["items"]
    return {item["source"]: item["state"] for item in listed}


def test_a_dropped_file_is_trained_once_while_others_are_refused_or_still_grow(the_lab: Lab) -> None:
    the_lab.write("data/a.jsonl", rows(range(4)))
    found_realm(the_lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl"}])
    good = drop(the_lab, "maths/sums.jsonl", rows(range(10, 16)))
    bad = drop(the_lab, "bad.jsonl", '{"question": "1+1"}\n')
    growing = drop(the_lab, "growing.jsonl", rows(range(20, 24)))

    with growing.open("a"):
        done = the_lab.reconcile("apply", "--once")
        said = the_lab.reconcile("status").stdout
    the_lab.spec("queue", quests=[])
    the_lab.commit("a leaves the queue")
    growing.unlink()
    the_lab.converge()

    assert done.returncode in (0, 3), done.stderr
    assert not good.exists()
    assert bad.exists()
    assert "inbox/bad.jsonl" in said
    assert "unknown row shape" in said
    assert quests(the_lab) == {"inbox/maths/sums.jsonl": "completed"}
    (job,) = (job for job in the_lab.store().jobs if job.dataset_path == "inbox/maths/sums.jsonl")
    assert job.status == "completed"
    assert job.id.endswith("_sums.jsonl")

    (shown,) = (the_lab.layout.queue / "recently_completed").glob("sums_*.jsonl")
    assert shown.read_text() == rows(range(10, 16))
    shown.unlink()
    assert [change["thing"] for change in the_lab.plan()["changes"]] == ["folders of queue/"]

    bad.unlink()
    drop(the_lab, "maths/sums.jsonl", rows(range(10, 16)))
    the_lab.converge()

    assert not good.exists()
    assert len([job for job in the_lab.store().jobs if job.quest_id.startswith("maths-sums-")]) == 1
    assert shown.is_symlink()
    assert the_lab.plan()["changes"] == []


def test_a_dropped_quest_can_be_skipped_and_retried_like_any_other(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], ONE, [])
    the_lab.spec("campaigns/one/campaign-001", id="campaign-001", suspend={"reason": "a look first"})
    the_lab.commit()
    drop(the_lab, "sums.jsonl", rows(range(6)))
    the_lab.converge()
    (job,) = the_lab.store().jobs

    assert f"Asked to skip quest/{job.quest_id}" in the_lab.reconcile("skip", job.quest_id).stdout
    the_lab.converge()

    (job,) = the_lab.store().jobs
    assert (job.status, job.demoted, job.priority) == ("queued", True, "normal")
    the_lab.reconcile("retry", job.quest_id)
    the_lab.converge()
    (job,) = the_lab.store().jobs
    assert (job.status, job.demoted) == ("queued", False)


def test_apply_until_converged_waits_for_a_file_that_was_just_dropped(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    the_lab.spec("realm", **realm(None))
    the_lab.commit()
    path = drop(the_lab, "sums.jsonl", rows(range(6)), age_seconds=0)

    said = the_lab.converge().stdout

    assert not path.exists()
    assert "may still be written" in said


@pytest.mark.long
def test_a_file_that_grows_after_a_kill_between_its_quest_and_its_removal_brings_only_its_new_rows(
    the_lab: Lab,
) -> None:
    found_realm(the_lab, ["one"], ONE, [])
    path = drop(the_lab, "sums.jsonl", rows(range(6)))
    the_lab.converge()
    assert not path.exists()
    drop(the_lab, "sums.jsonl", rows(range(10)))  # as after the kill, and then somebody appends

    (change,) = (one for one in the_lab.plan()["changes"] if one["verb"] == "take in")
    the_lab.converge()

    assert change["reason"] == "4 new rows of messages, behind 540 B that were taken in before"
    assert not path.exists()
    assert {(job.num_examples, job.status) for job in the_lab.store().jobs} == {
        (6, "completed"), (4, "completed"),
    }  # fmt: skip
    proof = the_lab.reconcile("prove", f"{ONE}@latest")
    assert proof.returncode == 0, proof.stdout
    drop(the_lab, "sums.jsonl", rows(range(10)))
    the_lab.converge()
    assert not path.exists()
    assert len(the_lab.store().jobs) == 2
