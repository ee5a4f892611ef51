"""A trainer is stopped gently, then not; whoever is not its process is left alone."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.act.launcher import LocalLauncher
from reconciler.observed.processes import find_by_cookie
from state.contract.files import read
from state.contract.orders import Orders

CODE = "c" * 40


def run_row(realm: Any) -> Any:
    return realm.view().runs[0]


def test_a_stopped_trainer_saves_and_its_end_is_written_down(realm: Any, make: Any) -> None:
    realm.start_trainer()
    realm.save_checkpoint(7)

    (text,) = realm.done(make.stop())

    assert text == "saved checkpoint-7"
    row = run_row(realm)
    assert (row.state, row.end, row.message, row.last_checkpoint_step) == ("ended", "stopped", "asked to", 7)
    orders = read(realm.run.orders, Orders)
    assert (orders.sequence, orders.stop) == (2, "not active any more")


def test_a_save_that_only_the_exit_file_knows_is_not_believed(realm: Any, make: Any) -> None:
    realm.start_trainer()

    assert realm.done(make.stop()) == ["saved nothing"]
    assert run_row(realm).last_checkpoint_step is None


def test_a_save_of_an_earlier_run_is_not_counted_for_the_one_that_is_stopped(realm: Any, make: Any) -> None:
    realm.start_trainer()
    realm.save_checkpoint(7, attempt=9)

    assert realm.done(make.stop()) == ["saved nothing"]


def test_stopping_what_is_gone_already_is_done(realm: Any, make: Any) -> None:
    realm.start_trainer()
    realm.done(make.stop())

    assert realm.done(make.stop()) == ["was over before: stopped"]


def test_a_trainer_that_left_by_itself_is_closed_with_its_word(realm: Any, make: Any) -> None:
    realm.start_trainer()
    realm.end_trainers()
    left = {
        "reason": "finished",
        "message": "done",
        "step": 9,
        "last_checkpoint_step": 9,
        "exited_at": make.now,
    }
    realm.run.exit.write_text(json.dumps(left))

    realm.done(make.stop())

    assert (run_row(realm).end, run_row(realm).final_step) == ("finished", 9)


def test_a_trainer_that_does_not_listen_is_killed_after_the_grace_time(
    realm: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALM_TEST_DEAF", "1")
    realm.save_checkpoint(5)
    realm.start_trainer()

    (text,) = realm.done(make.stop(grace_seconds=0.2))

    assert text == "did not leave within 0.2 s and was killed"
    row = run_row(realm)
    assert (row.end, row.message, row.last_checkpoint_step) == ("lost", text, 5)
    assert find_by_cookie(realm.cookie) is None


def test_a_frozen_trainer_is_woken_up_and_saves(realm: Any, make: Any) -> None:
    silent_since = realm.freeze_trainer()
    realm.save_checkpoint(7)

    assert realm.done(make.stop(silent_since=silent_since)) == ["saved checkpoint-7"]
    assert (run_row(realm).end, run_row(realm).failure_class) == ("stopped", None)


def test_a_frozen_trainer_that_does_not_wake_up_is_killed_as_stuck(
    realm: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALM_TEST_DEAF", "1")
    realm.save_checkpoint(5)
    silent_since = realm.freeze_trainer()

    (text,) = realm.done(make.stop(grace_seconds=0.2, silent_since=silent_since))

    assert text == "frozen; it did not leave within 0.2 s and was killed"
    row = run_row(realm)
    assert (row.end, row.failure_class, row.last_checkpoint_step) == ("lost", "stuck", 5)
    assert find_by_cookie(realm.cookie) is None


@pytest.mark.parametrize(
    "said", ["2026-01-31T12:00:09Z", None], ids=["it has", "nobody can read what it said"]
)
def test_a_trainer_that_has_spoken_since_it_was_found_frozen_goes_on(
    realm: Any, make: Any, said: str | None
) -> None:
    silent_since = realm.freeze_trainer()
    if said is None:
        realm.run.status.write_text("{")
    else:
        realm.speak(said)

    outcome = realm.fails(make.stop(silent_since=silent_since))

    assert outcome.text == "its trainer has spoken since: it goes on"
    assert not outcome.permanent
    assert read(realm.run.orders, Orders).stop is None
    assert find_by_cookie(realm.cookie) is not None


def test_asked_to_leave_while_waiting_it_leaves_the_trainer_stopping(
    realm: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALM_TEST_DEAF", "1")
    realm.start_trainer()
    answers = iter([False])

    outcome = realm.fails(make.stop(), interrupted=lambda: next(answers, True))

    assert outcome.text == "its trainer saves and leaves by itself; not waited for"
    assert run_row(realm).state != "ended"
    assert find_by_cookie(realm.cookie) is not None


def test_a_process_that_only_has_the_trainers_number_is_not_signalled(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    ours = {
        "pid": os.getpid(),
        "boot_id": "another",
        "start_ticks": 1,
        "cookie": realm.cookie,
        "claimed_at": make.now,
    }
    realm.run.process.write_text(json.dumps(ours))

    realm.done(make.stop())

    assert run_row(realm).end == "lost"


def test_a_run_that_nobody_claimed_is_stopped_by_taking_the_claim_away(realm: Any, make: Any) -> None:
    realm.done(make.launch())

    assert realm.done(make.stop()) == ["had not begun; it never will"]
    assert run_row(realm).end == "never_started"
    assert realm.json(realm.run.process)["cookie"] == "revoked"


def test_a_trainer_that_hangs_before_its_claim_is_ended_by_a_stop(
    realm: Any, make: Any, tmp_path: Path
) -> None:
    realm.done(make.launch())
    launcher, realm.has_processes = LocalLauncher(), True
    for _ in range(2):
        launcher.spawn(
            [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"],
            env={"REALM_RUN_COOKIE": realm.cookie}, log=tmp_path / "log", cwd=tmp_path,
        )  # fmt: skip
    while find_by_cookie(realm.cookie) is None:
        time.sleep(0.005)

    assert realm.done(make.stop()) == ["had not begun; it never will"]

    assert find_by_cookie(realm.cookie) is None
    assert (run_row(realm).end, realm.json(realm.run.process)["cookie"]) == ("never_started", "revoked")
