"""`pause`, `resume`, `stop`: left in the store with who and why; waited for by number."""

import json
import threading
import time
from contextlib import closing

import msgspec
import pytest

from reconciler.app.lock_holder import holder_of
from state.lock import hold_lock
from state.store.connection import open_writer
from state.store.requests import find
from state.store.tables import put


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


def test_the_plan_shows_an_open_request(run, store) -> None:
    run("pause", "--why", "too warm")
    assert "~ pause" in run("plan").stdout


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

    reconciler = threading.Thread(target=handle_one_after_the_other)
    reconciler.start()
    result = run("resume", "--wait", "--timeout", "20")
    reconciler.join()
    assert (result.exit_code, result.stdout) == (0, "done 2\n")


def test_waiting_in_vain_exits_6_and_leaves_the_request(run, store) -> None:
    result = run("pause", "--wait", "--timeout", "0.2")
    assert result.exit_code == 6
    assert (
        "request 1 (pause pip/campaign-001) was not handled within 0.2 s; it stays in the store"
        in result.stderr
    )
    assert "no reconciler is running: reconcile apply" in result.stderr


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
