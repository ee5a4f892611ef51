"""`apply`: what it tells on the way, as lines, as a bar, as JSON."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.act.protocol import Outcome
from reconciler.app.applying import patience, ticking
from reconciler.app.planning.look import View
from reconciler.app.surroundings.environment import utc_now
from reconciler.cli.text_progress import bar, outcome_text, phase_text, progress_text
from reconciler.observed.settled import is_open_for_writing
from reconciler.plan.actions import RestoreCheckpoint
from reconciler.plan.changes import Change
from state.contract.status import RunStatus
from state.lock import hold_lock

TRAINING = RunStatus(
    phase="training", updated_at="2026-01-31T12:05:00Z", orders_sequence=1, step=71, quest_id="bin-l1",
    quest_update=71, quest_updates=125, loss=0.4118, val_loss=0.5, tokens_per_second=6100.0, eta_seconds=48.2,
)  # fmt: skip


def test_training_is_a_bar_with_loss_speed_and_time_left() -> None:
    line = progress_text("pip/campaign-001", TRAINING, 79)
    assert line.startswith("    bin-l1  ━")
    assert "71/125  loss 0.412  6.1k tok/s  ETA 48 s" in line
    assert len(line) <= 79


def test_a_narrow_terminal_keeps_the_most_important() -> None:
    line = progress_text("pip/campaign-001", TRAINING, 45)
    assert len(line) <= 45
    assert "loss 0.412" in line


def test_a_bar_is_never_longer_than_its_width() -> None:
    for done, whole in ((0, 0), (-1, 5), (1, 3), (5, 5), (9, 5)):
        assert len(bar(done, whole, 10)) == 10


def test_without_a_terminal_a_phase_is_one_line() -> None:
    assert phase_text("pip/campaign-001", TRAINING, 80) == (
        "    bin-l1 71/125  loss 0.412  6.1k tok/s  ETA 48 s  held-out 0.500"
    )


def test_a_wish_that_could_not_be_granted_has_no_tick_before_it() -> None:
    action = RestoreCheckpoint(
        request_id=1, checkpoint="pip/campaign-001@30", sequence=1, campaign_uid="u", asked_by="ada"
    )
    change = Change(id="c", action=action, subject="s", reason="r", cause="c", source="request")
    refused = Outcome(change=change, ok=True, text="not taken back: it is damaged", seconds=0.0)
    granted = Outcome(change=change, ok=True, text="pip/campaign-001@30 is back", seconds=0.0)
    assert outcome_text(refused, 80).lstrip()[0] == "✗"
    assert outcome_text(granted, 80).lstrip()[0] == "✓"


def test_what_waits_for_a_person_makes_apply_leave_with_3_whatever_it_is(
    run, resting, lab: Path, git
) -> None:
    folder = resting({"specs/retention.yaml": "campaigns: {active: {keep_checkpoints: 1}}\n"}, (100, 200))
    shutil.rmtree(folder / "checkpoint-100")
    done = run("apply", "--until-converged")
    assert "blocked." in done.stdout.splitlines()[-2]
    assert done.exit_code == 3


def test_what_a_person_asked_for_is_no_reason_to_leave_with_3(run, resting) -> None:
    resting({}, (100,))
    assert run("pause", "--why", "tea").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0


def test_a_second_reconciler_is_told_who_holds_the_lock_and_exits_3(run, store) -> None:
    with hold_lock(store.layout.lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        result = run("apply", "--once")
    assert result.exit_code == 3
    assert "since 2026-01-31T12:00:00Z: pid " in result.stderr
    assert "`reconcile apply`; wait with --lock-timeout, or stop it" in result.stderr


def test_a_root_inside_a_work_tree_is_refused(run, lab: Path) -> None:
    result = run("apply", "--once", "--root", str(lab / "root"))
    assert result.exit_code == 1
    assert "lies inside the git work tree" in result.stderr
    assert not (lab / "root").exists()


def test_apply_of_a_realm_without_work_converges_and_then_plans_nothing(run, lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    result = run("apply", "--until-converged")
    assert result.exit_code == 0
    assert "✓ create     campaign pip/campaign-001" in result.stdout
    assert "✓ activate   pip/campaign-001" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("Converged at main@")
    plan = run("plan", "--detailed-exitcode")
    assert plan.exit_code == 0
    assert "\nNothing to do: " in plan.stdout


def test_as_json_every_line_is_an_object_that_says_what_happened(run, lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    events = [json.loads(line) for line in run("apply", "--until-converged", "--json").stdout.splitlines()]
    assert events[0]["text"].startswith("this repository remembers its root from now on")
    assert (events[1]["event"], events[-1]["event"]) == ("plan", "settled")
    ended = [event for event in events if event["event"] == "ended"]
    assert {event["verb"] for event in ended} >= {"create", "activate"}
    assert all(event["ok"] and event["schema_version"] == 1 for event in ended)


def test_a_wait_for_the_next_try_says_until_when_and_how_to_hurry(run, store, rows) -> None:
    changes = json.loads(run("plan", "--json").stdout)["changes"]
    (launch,) = (one["action"] for one in changes if one["verb"] == "launch")
    config = {"config_hash": launch["config_hash"], "config_json": json.dumps(launch["config"])}
    store.write([rows.run(end="failed", message="no memory", ended_at=utc_now(), **config)])
    told = run("apply", "--once").stdout
    wait = told[told.index("  … wait       pip/campaign-001\n") :]
    assert "tries again at " in wait
    assert " after failure 1: no memory\n" in wait
    assert (
        "→ see reconcile logs pip/campaign-001; to try at once: reconcile resume pip/campaign-001\n" in wait
    )
    events = [json.loads(line) for line in run("apply", "--once", "--json").stdout.splitlines()]
    assert [event["subject"] for event in events if event["event"] == "waits"] == [
        "campaign/pip/campaign-001"
    ]


def test_what_does_not_converge_in_the_time_given_exits_6_and_says_how_to_see_what_is_left(
    run, store, rows
) -> None:
    changes = json.loads(run("plan", "--json").stdout)["changes"]
    (launch,) = (one["action"] for one in changes if one["verb"] == "launch")
    config = {"config_hash": launch["config_hash"], "config_json": json.dumps(launch["config"])}
    store.write([rows.run(end="failed", message="no memory", ended_at=utc_now(), **config)])
    result = run("apply", "--until-converged", "--timeout", "0")
    assert result.exit_code == 6
    assert "not converged after 0 s; what is left: reconcile plan" in result.stderr
    assert "✓ create     campaign mu/campaign-001" in result.stdout  # what its last look began is done


def test_what_converges_in_time_exits_0(run, lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    assert run("apply", "--until-converged", "--timeout", "600").exit_code == 0


def test_the_store_is_copied_once_a_day_by_a_tick_that_did_something(run, lab: Path, root: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    assert run("apply", "--until-converged").exit_code == 0
    (copy,) = (root / "backups/store").iterdir()
    assert copy.name.startswith(f"realm-{utc_now()[:10]}-e")
    copy.unlink()
    assert run("apply", "--until-converged").exit_code == 0
    assert list((root / "backups/store").iterdir()) == []


def test_a_store_that_is_gone_is_told_with_its_newest_copy(run, lab: Path, root: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    assert run("apply", "--until-converged").exit_code == 0
    (copy,) = (root / "backups/store").iterdir()
    (root / "realm.db").unlink()
    said = run("plan").stderr
    assert f"doctor --rebuild make it again (the newest copy is {copy})" in " ".join(said.split())
    copy.rename(root / "realm.db")
    assert run("plan", "--detailed-exitcode").exit_code == 0


def test_a_commit_that_was_applied_has_a_git_note_of_where_and_when_and_no_other_has(
    run, lab: Path, root: Path, git
) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    canary = lab / "canary"
    for name in ("post-commit", "reference-transaction"):
        (lab / ".git/hooks").mkdir(exist_ok=True)
        (lab / ".git/hooks" / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (lab / ".git/hooks" / name).chmod(0o755)
    for _ in range(2):
        assert run("apply", "--until-converged").exit_code == 0
    assert not canary.exists()
    (note,) = git(lab, "notes", "--ref=realm", "show", "HEAD").splitlines()
    assert note.startswith("realm lab: applied 20")
    assert note.endswith(f", root {root}")
    assert git(lab, "notes", "--ref=realm", "list").count("\n") <= 1
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: mu/campaign-001\n")
    git(lab, "commit", "-qam", "switch")
    assert run("apply", "--until-converged", "--exclude", "*").exit_code == 0
    assert len(git(lab, "notes", "--ref=realm", "list").split()) == 2


def test_a_note_that_could_not_be_written_is_written_by_a_later_apply(run, lab: Path, git) -> None:
    lock = lab / ".git/refs/notes/realm.lock"
    lock.parent.mkdir()
    lock.touch()
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to train")
    assert "no git note was written" in run("apply", "--until-converged").stderr
    lock.unlink()
    assert run("apply", "--once").exit_code == 0
    assert git(lab, "notes", "--ref=realm", "show", "HEAD").startswith("realm lab: applied")


def test_a_repository_that_takes_no_note_is_named_and_stops_nothing(run, lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    (lab / ".git/refs/notes").write_text("something else lies here")
    done = run("apply", "--until-converged")
    assert (done.exit_code, "no git note was written" in done.stderr) == (0, True)


def test_a_file_of_the_inbox_that_never_stops_growing_is_named_and_keeps_apply_waiting_only_so_long(
    run, lab: Path, root: Path, git, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: pip/campaign-001\napply: {interval: 1s}\n")
    git(lab, "commit", "-qam", "nothing to learn")
    assert run("apply", "--until-converged").exit_code == 0
    looks, look = [], ticking.Ticker._look
    monkeypatch.setattr(patience, "SETTLING_SECONDS", 0.5)

    with (root / "inbox" / "growing.jsonl").open("a") as growing:

        def grows(*given: Any) -> View:
            growing.write('{"messages": []}\n')
            growing.flush()
            looks.append(growing.tell())
            return look(*given)

        monkeypatch.setattr(ticking.Ticker, "_look", grows)
        done = run("apply", "--until-converged")

    told = " ".join(done.stdout.split())
    assert done.exit_code == 0, done.stderr + told
    assert re.search(r"growing\.jsonl (may still be written|a program has it open for writing): \d+ B", told)
    assert re.search("→ (wait|close it there), or remove the file", told)
    assert (root / "inbox" / "growing.jsonl").stat().st_size == looks[-1] > looks[0]
    assert "growing" not in run("get", "quests").stdout


def test_a_file_that_a_program_holds_open_is_named_and_not_waited_for_without_end(
    run, lab: Path, root: Path, git, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: pip/campaign-001\n")
    git(lab, "commit", "-qam", "nothing to learn")
    assert run("apply", "--until-converged").exit_code == 0
    monkeypatch.setattr(patience, "SETTLING_SECONDS", 0.0)
    place = root / "inbox" / "held.jsonl"
    place.write_text('{"messages": []}\n')
    os.utime(place, (1_700_000_000, 1_700_000_000))

    with place.open("a"), place.open("rb") as seen:
        if not is_open_for_writing(seen.fileno()):
            pytest.skip("this file system does not tell who holds a file open for writing")
        done = run("apply", "--until-converged")

    told = " ".join(done.stdout.split() + done.stderr.split())
    so_far = "a program has it open for writing: 17 B, changed last at 2023-11-14T22:13:20Z"
    assert done.exit_code == 0, told
    assert f"held.jsonl {so_far} → close it there, or remove the file" in told
    assert f"inbox/held.jsonl: not waited for any longer than 0 s: {so_far}; it is taken in by" in told
