"""What the active campaign has to train, file by file, as the plan shows it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Reconcile = Callable[..., Result]
ROWS = [{"prompt": f"how much is {n} and {n * 7}?", "completion": f"it is {n * 8}"} for n in range(20)]


@pytest.fixture
def two_quests(lab: Path, git: Callable[..., str]) -> None:
    """Let the queue be a file, and rows that a skill is still to make, with a higher priority."""
    (lab / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    (lab / "specs/queue.yaml").write_text(
        "quests:\n  - {id: sums, file: rows.jsonl}\n"
        "  - {id: q1, skill: bin, level: 1, count: 10, priority: high, epochs: 2}\n"
    )
    git(lab, "commit", "-qam", "queue")


def to_train(done: Result) -> list[str]:
    lines = done.stdout.splitlines()
    start = lines.index("To train, pip/campaign-001:")
    return lines[start + 1 : lines.index("", start)]


@pytest.mark.usefixtures("two_quests")
def test_examples_are_told_by_file_and_in_all_and_what_is_not_counted_is_unknown(run: Reconcile) -> None:
    assert to_train(run("plan")) == [
        "  [high] bin_L1_10_s0.jsonl: 10 examples, 2 times, tokens unknown",
        "  [normal] rows.jsonl: 20 examples, tokens unknown",
        "  In all 2 files, 30 examples (40 with all epochs),",
        "  tokens not counted yet: apply counts them",
    ]


def test_the_files_of_the_inbox_are_planned_as_they_arrived(run: Reconcile, store: Any) -> None:
    for name, age_seconds in (("zz", 60), ("B", 59), ("aa", 57)):
        path = store.layout.inbox / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{json.dumps(row | {'completion': name})}\n" for row in ROWS))
        changed = path.stat().st_mtime - age_seconds
        os.utime(path, (changed, changed))

    told = run("plan").stdout
    plan = json.loads(run("plan", "--json").stdout)

    assert [one["file"] for one in plan["queue"]["quests"]][-3:] == ["zz.jsonl", "B.jsonl", "aa.jsonl"]
    taken = [one["thing"] for one in plan["changes"] if one["verb"] == "take in"]
    assert taken == [f"inbox {name}.jsonl" for name in ("zz", "B", "aa")], told


def test_very_many_files_that_are_refused_are_counted_where_people_read_and_listed_in_json(
    run: Reconcile, store: Any
) -> None:
    store.layout.inbox.mkdir(exist_ok=True)
    for number in range(30):
        path = store.layout.inbox / f"{number:02}.jsonl"
        path.write_text('{"no": "shape"}\n')
        changed = path.stat().st_mtime - 60
        os.utime(path, (changed, changed))

    told = " ".join(run("plan").stdout.split())
    plan = json.loads(run("plan", "--json").stdout)
    status = " ".join(run("status").stdout.split())

    refused = [one["subject"] for one in plan["blocked"] if one["code"] == "inbox-refused"]
    assert refused == [f"inbox/{number:02}.jsonl" for number in range(30)]
    for said in (told, status):
        assert "10 more like these (inbox-refused); all of them: reconcile plan --json" in said
        assert "inbox/19.jsonl" in said
        assert "inbox/20.jsonl" not in said


@pytest.mark.train
@pytest.mark.usefixtures("two_quests")
def test_tokens_share_updates_and_fill_are_told_once_somebody_has_looked(run: Reconcile) -> None:
    pytest.importorskip("tokenizers")
    assert run("validate", "--data").exit_code == 0
    told = " ".join(" ".join(to_train(run("plan"))).split())
    assert "[normal] rows.jsonl: 20 examples, 1,018 tokens" in told
    assert " tokens, 18% trained, 2 updates an epoch, batches " in told
    assert "In all 2 files, 30 examples (40 with all epochs), 1,018 tokens an epoch" in told
    assert "tokens of 1 file not counted yet: apply counts them" in told
    queue = json.loads(run("plan", "--json").stdout)["queue"]
    assert [(one["quest"], one["rows"], one["epochs"]) for one in queue["quests"]] == [
        ("q1", 10, 2),
        ("sums", 20, 1),
    ]
    assert queue["num_unknown"] == 1
    assert queue["num_tokens"] == queue["quests"][1]["tokens"]["num_tokens"]


@pytest.mark.train
@pytest.mark.usefixtures("two_quests")
def test_what_a_deeper_look_has_counted_is_told(run: Reconcile) -> None:
    pytest.importorskip("tokenizers")
    assert run("validate", "--data", "--depth", "deep").exit_code == 0
    assert "1,018 tokens" in run("plan").stdout


@pytest.mark.train
@pytest.mark.usefixtures("two_quests")
def test_tokens_are_still_known_once_batches_are_of_another_size(
    run: Reconcile, lab: Path, git: Callable[..., str]
) -> None:
    """How full they are is not, until somebody packs the rows again."""
    pytest.importorskip("tokenizers")
    assert run("validate", "--data").exit_code == 0
    spec = "id: campaign-001\nconfig_overrides: {batch_size: 1, gradient_accumulation: 3}\n"
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text(spec)
    git(lab, "commit", "-qam", "batches")

    told = " ".join(" ".join(to_train(run("plan"))).split())
    assert "[normal] rows.jsonl: 20 examples, 1,018 tokens, 18% trained, 7 updates an epoch In all" in told

    assert run("validate", "--data").exit_code == 0
    assert "1,018 tokens, 18% trained, 7 updates an epoch, batches " in " ".join(run("plan").stdout.split())


def test_a_plan_that_neither_queues_nor_launches_tells_no_queue(
    run: Reconcile, lab: Path, git: Callable[..., str]
) -> None:
    """Nor what a release would cost that nothing of this plan brings nearer."""
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    spec = "id: campaign-001\nreleases: [{at: 10, updates: 5}]\n"
    (lab / "specs/campaigns/pip/campaign-001.yaml").write_text(spec)
    git(lab, "commit", "-qam", "nothing")
    done = run("plan")
    assert "To train" not in done.stdout
    assert "release at" not in done.stdout
    told = json.loads(run("plan", "--json").stdout)
    assert (told["queue"], told["training"]) == (None, None)


@pytest.mark.usefixtures("two_quests")
def test_until_says_of_each_quest_that_nobody_knows_before_a_first_run(run: Reconcile) -> None:
    told = " ".join(run("plan", "--until", "7d").stdout.split())
    assert (
        "if training goes on as it did: q1: unknown when it ends: its rows, or the pace, are not known yet"
        in told
    )
    assert "Disk: unknown: the pace of training is not known yet" in told
    assert json.loads(run("plan", "--until", "7d", "--json").stdout)["forecast"]["disk_full_at"] is None
    assert json.loads(run("plan", "--json").stdout)["forecast"] is None


def test_a_time_that_is_none_or_of_a_range_is_refused(run: Reconcile) -> None:
    wrong = run("plan", "--until", "soon")
    assert (wrong.exit_code, "is no time; expected one such as 12h or 7d" in wrong.stderr) == (64, True)
    assert run("plan", "main..HEAD", "--until", "7d").exit_code == 64
