"""One root, one reconciler; and training does not care whether it lives."""

import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lab import Lab, Process, found_realm, rows, tiny_hero, wait_until

from state.contract.status import RunStatus

ONE = "one/campaign-001"


@pytest.fixture
def training(the_lab: Lab) -> Lab:
    """Return a realm whose one quest takes some seconds of updates."""
    the_lab.write("data/a.jsonl", rows(range(1200)))
    found_realm(the_lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl", "epochs": 2}])
    the_lab.spec("heroes/one", **tiny_hero("one", checkpoint={"every_updates": 200}))
    the_lab.commit()
    return the_lab


def test_the_second_reconciler_says_who_holds_the_root_since_when_and_leaves_with_3(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    first = the_lab.start("apply")
    wait_until(lambda: "Converged" in the_lab.said(), 100, "the first has settled", say=the_lab.said)
    before = the_lab.layout.store.read_bytes()

    second = the_lab.reconcile("apply", "--until-converged")

    assert second.returncode == 3
    said = re.fullmatch(
        r"reconcile: another reconciler holds (\S+) since (\S+): pid (\d+) on \S+, `reconcile apply`; "
        r"wait with --lock-timeout, or stop it\n",
        second.stderr,
    )
    assert said is not None, second.stderr
    assert said[1] == str(the_lab.layout.lock)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said[2])
    assert int(said[3]) == first.pid
    assert the_lab.layout.store.read_bytes() == before
    assert first.poll() is None


def test_the_second_reconciler_takes_over_when_the_first_leaves_in_time(the_lab: Lab) -> None:
    found_realm(the_lab, ["one"], None, [])
    first = the_lab.start("apply")
    wait_until(lambda: "Converged" in the_lab.said(), 100, "the first has settled", say=the_lab.said)
    second = the_lab.start("apply", "--until-converged", "--lock-timeout", "30", log="second.log")
    first.terminate()

    assert first.wait(30) == 0
    assert second.wait(60) == 0, the_lab.said("second.log")
    assert "Converged" in the_lab.said("second.log")


@pytest.mark.train
@pytest.mark.timeout(900)
def test_training_outlives_its_reconciler_and_the_next_one_adopts_it(training: Lab) -> None:
    first = training.start("apply")
    wait_until(lambda: training.newest_step(ONE) >= 200, 120, "training is on its way", say=training.said)
    (trainer,) = training.trainers()

    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
        first = _survived(training, first, trainer, number, code)
    wait_until(
        lambda: training.status_of(ONE, "a") == "completed", 120, "the quest is done", say=training.said
    )
    wait_until(lambda: [run.end for run in training.store().runs] == ["finished"], 100, "the run is closed")

    assert f"training of {ONE} goes on (pid {trainer.pid})" in training.said()
    assert len(training.runs()) == len(training.records("started")) == 1
    assert training.newest_step(ONE) == training.records("update")[-1]["step"]
    assert len(training.records("update")) == training.newest_step(ONE)


def _survived(
    lab: Lab, reconciler: "subprocess.Popen[str]", trainer: Process, number: signal.Signals, code: int
) -> "subprocess.Popen[str]":
    """End the reconciler; the trainer must not notice. Return the next reconciler, once it looks after it."""
    reconciler.send_signal(number)
    assert reconciler.wait(30) == code
    epoch = lab.store().epoch
    assert set(lab.trainers()) == {trainer}
    following = lab.start("apply")
    wait_until(lambda: lab.store().epoch > epoch, 100, "the next one is in office", say=lab.said)
    return following


@pytest.mark.train
@pytest.mark.timeout(900)
def test_pause_resume_and_stop_reach_the_trainer(training: Lab) -> None:
    training.start("apply")
    wait_until(lambda: training.newest_step(ONE) >= 200, 120, "training is on its way", say=training.said)
    (trainer,) = training.trainers()

    _ask(training, "pause", "--why", "lunch")
    wait_until(lambda: _phase(training) == "paused", 100, "it pauses", say=training.said)
    paused_at = training.newest_step(ONE)
    assert _updates(training) == paused_at  # it saved before it waits
    assert set(training.trainers()) == {trainer}

    _ask(training, "resume")
    wait_until(lambda: _updates(training) > paused_at, 100, "it goes on", say=training.said)
    assert set(training.trainers()) == {trainer}

    _ask(training, "stop", "--why", "the GPU is needed")
    wait_until(lambda: not training.processes(), 100, "it leaves", say=training.said)
    wait_until(lambda: [run.end for run in training.store().runs] == ["stopped"], 100, "that is written down")
    stopped_at = training.newest_step(ONE)
    (blocked,) = training.plan()["blocked"]
    assert blocked["code"] == "held"
    assert "the GPU is needed" in blocked["message"]
    assert blocked["hint"] == f"reconcile resume {ONE}"

    _ask(training, "resume")
    wait_until(
        lambda: training.status_of(ONE, "a") == "completed", 120, "the quest is done", say=training.said
    )
    assert len(training.runs()) == len(training.records("started")) == 2
    assert training.records("started")[1]["step"] == stopped_at
    steps = [record["step"] for record in training.records("update")]
    assert steps == list(range(1, training.newest_step(ONE) + 1))


@pytest.mark.train
@pytest.mark.timeout(900)
def test_the_line_that_a_leaving_reconciler_tells_ends_training_and_records_its_last_save(
    training: Lab,
) -> None:
    first = training.start("apply")
    wait_until(lambda: training.newest_step(ONE) >= 200, 120, "training is on its way", say=training.said)
    first.terminate()
    assert first.wait(30) == 0
    told = re.search("end it: (.*)", training.said())
    assert told is not None, training.said()

    for command in told[1].split(" && "):
        done = training.reconcile(*command.split()[1:])
        assert done.returncode == 0, done.stderr

    assert not training.processes()
    assert [run.end for run in training.store().runs] == ["stopped"]
    assert max(row.step for row in training.ledger(ONE)) == training.newest_step(ONE)
    assert training.status_of(ONE, "a") == "queued"


def _ask(lab: Lab, *request: str) -> None:
    done = lab.reconcile(*request, "--wait")
    assert done.returncode == 0, done.stderr


def _phase(lab: Lab) -> str | None:
    statuses: list[Path] = [run / "status.json" for run in lab.runs()]
    found: list[Any] = [msgspec.json.decode(path.read_bytes(), type=RunStatus) for path in statuses]
    return found[-1].phase if found else None


def _updates(lab: Lab) -> int:
    return len(lab.records("update"))
