"""The queue's depth, told in a word by `status` and `get queue`: never an error."""

import json
from pathlib import Path


def test_a_queue_with_fewer_jobs_than_wanted_is_low_and_nothing_is_wrong(run, store, rows) -> None:
    store.write(
        [rows.job(status="queued"), rows.job(uid="job2", id="j2", quest_id="old", status="completed")]
    )

    result = run("status", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["queue_health"] == {
        "state": "low", "depth": 1, "healthy_depth": 5,
        "reason": "1 job to do, below healthy_depth 5: add quests, or lower it",
    }  # fmt: skip
    assert "; 1 job to do, below healthy_depth 5: add quests, or lower it" in " ".join(
        run("status").stdout.split()
    )


def test_jobs_that_wait_and_that_are_trained_count_towards_the_depth_of_the_spec(
    run, store, rows, lab: Path, git
) -> None:
    spec = lab / "specs/queue.yaml"
    spec.write_text(f"healthy_depth: 2\n{spec.read_text()}")
    git(lab, "commit", "-qam", "two are enough")
    store.write(
        [rows.job(status="queued"), rows.job(uid="job2", id="j2", quest_id="q2", status="processing")]
    )

    (item,) = json.loads(run("get", "queue", "--json").stdout)["items"]

    assert (item["state"], item["reason"]) == ("healthy", "2 jobs to do")
    assert (item["num_queued"], item["num_processing"], item["healthy_depth"]) == (1, 1, 2)
    assert "low" not in run("status").stdout
    assert run("get", "queue").stdout.splitlines() == [
        "QUEUE    QUEUED  PROCESSING  COMPLETED  FAILED  SKIPPED  REASON",
        "healthy       1           1          0       0        0  2 jobs to do",
    ]


def test_a_job_that_lies_in_the_trash_with_its_campaign_is_nothing_to_do(run, store, rows) -> None:
    store.write([rows.job(status="queued"), rows.campaign(status="deleted")])
    (item,) = json.loads(run("get", "queue", "--json").stdout)["items"]
    assert (item["num_queued"], item["reason"].partition(",")[0]) == (0, "0 jobs to do")


def test_a_suspended_queue_is_never_healthy(run, store, rows, lab: Path, git) -> None:
    spec = lab / "specs/queue.yaml"
    spec.write_text(f"suspend: {{reason: the card is away}}\nhealthy_depth: 0\n{spec.read_text()}")
    git(lab, "commit", "-qam", "suspend")
    store.write([rows.job(status="queued")])

    (item,) = json.loads(run("get", "queue", "--json").stdout)["items"]

    assert (item["state"], item["reason"]) == (
        "suspended",
        "suspended: the card is away; 1 job to do",
    )


def test_a_depth_below_nothing_is_refused(run, lab: Path, git) -> None:
    spec = lab / "specs/queue.yaml"
    spec.write_text(f"healthy_depth: -1\n{spec.read_text()}")
    git(lab, "commit", "-qam", "less than nothing")

    assert "healthy_depth: -1" in run("validate").stdout
