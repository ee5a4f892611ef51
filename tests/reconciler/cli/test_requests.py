"""`pause`, `resume`, `stop`: left in the store with who and why; waited for by number."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from reconciler.app.asking.requests import Asked, wait_for
from reconciler.app.surroundings.environment import current_environment
from reconciler.app.surroundings.errors import TimedOut
from reconciler.app.surroundings.lock_holder import holder_of
from reconciler.observed.processes import identity_of
from state.contract.process import COOKIE_VARIABLE, ProcessIdentity
from state.contract.status import RunStatus
from state.ids import RunKey
from state.lock import hold_lock
from state.store.connection import open_writer
from state.store.requests import ask, find
from state.store.tables import put

BEAT = RunStatus(phase="training", updated_at="2026-01-31T12:00:00Z", orders_sequence=1, step=7)


@pytest.mark.parametrize("kind", ["pause", "resume", "stop"])
def test_a_request_is_left_in_the_store_with_who_and_why_and_wakes_the_loop(run, store, kind: str) -> None:
    result = run(kind, "--why", "too warm")
    assert result.stdout == f"Asked to {kind} pip/campaign-001 (request 1).\n"
    assert "No reconciler is running; the next `reconcile apply` handles it." in result.stderr
    with closing(open_writer(store.layout.store)) as connection:
        row = find(connection, 1)
    assert row is not None
    assert (row.kind, row.campaign, row.why, row.handled_at) == (kind, "pip/campaign-001", "too warm", None)
    assert "@" in row.asked_by
    assert store.layout.wake.exists()


def test_the_plan_shows_an_open_request_as_asked_for_and_not_as_an_edit(run, store) -> None:
    run("pause")
    text = run("plan").stdout
    assert "~ pause" in text
    asked = text[text.index("Somebody asked for it:") : text.index("The specs moved (edits):")]
    assert "~ pause" in asked
    assert "asked for it" in asked
    assert "no reason given" not in asked


def test_a_request_alone_leaves_a_campaign_synced(run, store, lab, git, rows) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    run("apply", "--once")
    run("pause")
    pip = next(one for one in json.loads(run("status", "--json").stdout)["campaigns"] if one["is_active"])
    assert pip["synced"]["state"] == "synced"
    assert "asked for it, and apply does it (reconcile pause at " in pip["synced"]["sentence"]


def test_a_checkpoint_is_asked_for_in_the_same_way(run, store) -> None:
    result = run("checkpoint", "--why", "before the storm")
    assert result.stdout == "Asked for a checkpoint of pip/campaign-001 (request 1).\n"
    with closing(open_writer(store.layout.store)) as connection:
        row = find(connection, 1)
    assert row is not None
    assert (row.kind, row.why) == ("checkpoint", "before the storm")


def test_a_request_for_an_unknown_campaign_exits_5_and_names_the_nearest(run, store) -> None:
    result = run("pause", "pip/campaign-002")
    assert result.exit_code == 5
    assert 'there is no campaign "pip/campaign-002"; known: pip/campaign-001' in result.stderr


def test_a_request_before_the_first_apply_exits_5(run) -> None:
    result = run("stop")
    assert (result.exit_code, "nothing has been applied yet" in result.stderr) == (5, True)


def test_waiting_returns_when_this_very_request_was_handled(run, store) -> None:
    run("pause")

    def handle_one_after_the_other() -> None:
        for number in (1, 2):
            time.sleep(0.2)
            with closing(open_writer(store.layout.store)) as connection:
                while (row := find(connection, number)) is None:
                    time.sleep(0.02)
                done = msgspec.structs.replace(
                    row, handled_at="2026-01-31T12:00:00Z", result=f"done {number}"
                )
                put(connection, [done])

    reconciler = threading.Thread(target=handle_one_after_the_other, daemon=True)
    reconciler.start()
    with hold_lock(store.layout.lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        result = run("resume", "--wait", "--timeout", "200")
    reconciler.join(200)
    assert (result.exit_code, result.stdout) == (0, "done 2\n")


@pytest.fixture
def trainer(store) -> Iterator[subprocess.Popen[bytes]]:
    """A living process that has claimed a run of the campaign."""
    folder = store.layout.campaign("pip/campaign-001").run(RunKey("", 1, 1)).folder
    folder.mkdir(parents=True)
    environment = {**os.environ, COOKIE_VARIABLE: "cookie"}
    with subprocess.Popen(["sleep", "600"], env=environment) as process:
        while (seen := identity_of(process.pid)) is None or seen.name != "sleep":
            time.sleep(0.01)
        claim = ProcessIdentity(
            pid=process.pid,
            boot_id=seen.boot_id,
            start_ticks=seen.start_ticks,
            cookie="cookie",
            claimed_at="2026-01-31T12:00:00Z",
        )
        (folder / "process.json").write_bytes(msgspec.json.encode(claim))
        (folder / "status.json").write_bytes(msgspec.json.encode(BEAT))
        yield process
        process.kill()


def handled(store, kind: str) -> Asked:
    """Leave a request and handle it, as a loop does before the trainer follows."""
    done = "2026-01-31T12:00:00Z"
    with closing(open_writer(store.layout.store)) as connection:
        number = ask(connection, kind=kind, campaign="pip/campaign-001", by="ada", why="warm", at=done)
        row = find(connection, number)
        put(connection, [msgspec.structs.replace(row, handled_at=done, result="done")])
    return Asked(
        id=number,
        kind=kind,
        campaign="pip/campaign-001",
        asked_by="ada",
        why="warm",
        asked_at=done,
        is_reconciler_running=False,
    )


def test_waiting_for_a_stop_ends_when_the_trainer_has_left(store, trainer) -> None:
    asked = handled(store, "stop")
    with pytest.raises(TimedOut, match=r"was handled, but the trainer has not left within 0\.2 s"):
        wait_for(store.layout, asked, 0.2)
    threading.Timer(0.2, trainer.kill).start()
    assert wait_for(store.layout, asked, 20).result == "pip/campaign-001 is stopped, nothing saved yet"
    assert trainer.wait() != 0


def test_waiting_for_a_pause_ends_when_the_trainer_has_paused(store, trainer) -> None:
    asked = handled(store, "pause")
    with pytest.raises(TimedOut, match=r"the trainer has not paused within 0\.2 s; see reconcile status"):
        wait_for(store.layout, asked, 0.2)
    status = store.layout.campaign("pip/campaign-001").run(RunKey("", 1, 1)).status
    status.write_bytes(msgspec.json.encode(msgspec.structs.replace(BEAT, phase="paused")))
    assert wait_for(store.layout, asked, 20).result == (
        "pip/campaign-001 is paused, nothing saved yet; its trainer waits with the model loaded"
    )
    assert trainer.poll() is None


@pytest.mark.parametrize("kind", ["skip", "retry", "resume", "approve"])
def test_waiting_for_what_is_about_no_trainer_gives_its_own_result_though_one_lives(
    store, trainer, kind: str
) -> None:
    assert wait_for(store.layout, handled(store, kind), 20).result == "done"
    assert trainer.poll() is None


def test_waiting_in_vain_exits_6_and_leaves_the_request(run, store) -> None:
    with hold_lock(store.layout.lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        result = run("pause", "--wait", "--timeout", "0.2")
    assert result.exit_code == 6
    assert (
        "request 1 (pause pip/campaign-001) was not handled within 0.2 s; it stays in the store"
        in result.stderr
    )


@pytest.mark.parametrize("kind", ["pause", "resume", "stop"])
def test_waiting_without_a_reconciler_is_refused_at_once_with_what_to_do(run, store, kind: str) -> None:
    result = run(kind, "--wait", "--timeout", "600")
    assert result.exit_code == 3
    assert result.stderr == (
        f"reconcile: no reconciler is running, so nobody to wait for: request 1 ({kind} pip/campaign-001) "
        "stays in the store; `reconcile apply --once` handles it\n"
    )


def test_no_note_when_a_reconciler_runs_and_its_lock_is_seen_without_being_taken(run, store) -> None:
    lock = store.layout.lock
    with hold_lock(lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        holder = holder_of(lock)
        assert holder is not None
        assert holder.command == "reconcile apply"
        assert json.loads(run("status", "--json").stdout)["reconciler"]["pid"] == holder.pid
        assert run("pause").stderr == ""
    assert holder_of(lock) is None


def test_a_lock_file_that_names_a_living_process_without_the_lock_is_not_held(store) -> None:
    with hold_lock(store.layout.lock, command="reconcile apply", since="2026-01-31T12:00:00Z"):
        pass
    assert store.layout.lock.read_bytes()
    assert holder_of(store.layout.lock) is None


@pytest.mark.parametrize(
    ("kind", "phase", "word", "said"),
    [
        ("pause", "training", "pausing", "still lives: it saves at its next update and pauses"),
        ("pause", "paused", "paused", "warm"),
        ("stop", "training", "stopping", "still lives: it saves at its next update and leaves"),
    ],
)
def test_status_says_that_a_trainer_has_not_obeyed_yet(
    run, store, rows, trainer, kind: str, phase: str, word: str, said: str
) -> None:
    held = {"hold": kind, "hold_by": "ada", "hold_why": "warm", "hold_at": "2026-01-31T12:00:00Z"}
    store.write([rows.campaign(**held), rows.run(state="running", end=None, ended_at=None)])
    beat = msgspec.structs.replace(BEAT, phase=phase, updated_at=current_environment().now())
    status = store.layout.campaign("pip/campaign-001").run(RunKey("", 1, 1)).status
    status.write_bytes(msgspec.json.encode(beat))
    pip = next(one for one in json.loads(run("status", "--json").stdout)["campaigns"] if one["is_active"])
    assert (pip["healthy"]["state"], pip["healthy"]["reason"]) == ("on hold", word)
    assert pip["healthy"]["sentence"].endswith(said)
    assert pip["synced"] == pip["healthy"]


def test_status_of_a_suspended_campaign_whose_trainer_lives_says_that_it_is_not_over(
    run, store, rows, trainer, lab, git
) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text(spec.read_text() + "suspend: {reason: waiting for the card, until: 2090-12-01}\n")
    git(lab, "commit", "-qam", "suspend")
    store.write([rows.run(state="running", end=None, ended_at=None)])
    pip = next(one for one in json.loads(run("status", "--json").stdout)["campaigns"] if one["is_active"])
    assert (pip["synced"]["state"], pip["synced"]["reason"]) == ("suspended", "suspending")
    assert f"its trainer (pid {trainer.pid}) still lives" in pip["synced"]["sentence"]


WHAT_IT_IS_ABOUT = {"skip": ["q1"], "retry": ["q1"], "undelete": ["pip/campaign-001@500"]}


@pytest.mark.parametrize(
    "kind", ["pause", "resume", "stop", "skip", "retry", "undelete", "approve", "scrub", "export"]
)
def test_every_request_has_the_same_options(run, kind: str) -> None:
    told = " ".join(run(kind, "--help").stdout.split())
    for option in ("--why TEXT", "--wait", "--timeout SECONDS", "--json Print the request as JSON."):
        assert option in told


@pytest.mark.parametrize("kind", WHAT_IT_IS_ABOUT)
def test_every_request_is_told_as_json_with_its_number_and_why(run, store, rows, kind: str) -> None:
    store.write([rows.job(status="failed"), rows.trash()])
    asked = json.loads(run(kind, *WHAT_IT_IS_ABOUT[kind], "--why", "tea", "--json").stdout)
    assert (asked["id"], asked["kind"], asked["why"], asked["handled_at"]) == (1, kind, "tea", None)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("pause", "Return when the trainer has paused; at once when none lives."),
        ("resume", "Return when this very request was handled."),
        ("stop", "Return when the trainer has left."),
    ],
)
def test_the_help_says_what_waiting_waits_for(run, kind: str, words: str) -> None:
    assert words in " ".join(run(kind, "--help").stdout.split())


HELD = {"hold": "pause", "hold_by": "ada@lab", "hold_why": "too warm", "hold_at": "2026-01-31T12:00:00Z"}


def test_explain_of_a_campaign_on_hold_says_who_asked_for_what_since_when_and_why(run, store, rows) -> None:
    store.write([rows.campaign(**HELD)])
    told = json.loads(run("explain", "pip/campaign-001", "--json").stdout)
    sentence = "pause, by ada@lab at 2026-01-31T12:00:00Z: too warm"
    assert {fact["name"]: fact["text"] for fact in told["facts"]}["hold"] == sentence
    assert (told["blocked"][0]["code"], told["blocked"][0]["hint"]) == (
        "held",
        "reconcile resume pip/campaign-001",
    )
    assert told["blocked"][0]["message"] == "paused by ada@lab at 2026-01-31T12:00:00Z: too warm"
    assert [item["code"] for item in told["blocked"]].count("held") == 1


def test_a_hold_is_a_word_of_its_own_and_is_counted_beside_the_state(run, store, rows) -> None:
    store.write([rows.campaign(**HELD)])
    told = json.loads(run("get", "campaigns", "pip/campaign-001", "--json").stdout)["items"][0]
    assert (told["state"], told["hold"].partition(",")[0]) == ("active", "pause")
    assert "ON HOLD" in run("get", "campaigns").stdout
    assert "1 on hold (reconcile resume)" in run("status").stdout


def test_what_a_person_holds_is_counted_as_on_hold_and_not_as_blocked(run, store, rows) -> None:
    """Nothing has to be mended about it."""
    store.write([rows.campaign(**HELD)])
    text = " ".join(run("plan").stdout.split())
    assert "! on hold campaign/pip/campaign-001" in text
    assert ", 1 on hold" in text.partition("Plan: ")[2]
    assert "blocked" not in text.partition("Plan: ")[2]
    status = " ".join(run("status").stdout.split())
    assert " 0 blocked, " in status
    assert " 1 on hold (reconcile resume)" in status
    assert json.loads(run("status", "--json").stdout)["num_blocked"] == 0


def test_a_campaign_that_is_archived_is_on_hold_no_more_whatever_was_asked_before(run, store, rows) -> None:
    store.write([rows.campaign(status="archived", archived_at="2026-02-01T12:00:00Z", **HELD)])
    report = json.loads(run("status", "--json").stdout)
    pip = next(one for one in report["campaigns"] if one["name"] == "pip/campaign-001")
    assert (report["num_held"], pip["hold"], pip["healthy"]["reason"]) == (0, None, "archived")
    assert "stopped by" not in run("status").stdout


@pytest.mark.parametrize("kind", ["skip", "retry"])
def test_nothing_is_asked_about_a_quest_that_is_completed(run, store, rows, kind: str) -> None:
    store.write([rows.job(status="completed")])
    result = run(kind, rows.job().quest_id)
    assert result.exit_code == 1
    assert f"is completed: there is nothing to {kind}; to train it again raise its epochs" in result.stderr
    with closing(open_writer(store.layout.store)) as connection:
        assert find(connection, 1) is None


def test_a_completed_quest_of_the_inbox_is_not_said_to_stand_in_the_queue(run, store, rows) -> None:
    store.write([rows.job(status="completed", quest_id="sums-1", dataset_path="inbox/sums.jsonl")])
    said = run("retry", "sums-1").stderr
    assert "there is nothing to retry; to train it again name its file in specs/queue.yaml" in said
    assert "raise its epochs" not in said
