"""`python -m trainer` as a process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders import Realm, orders

from state.contract.exit import RunExit
from state.contract.files import read

TRAINER = [sys.executable, "-m", "trainer"]


def test_a_request_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    done = subprocess.run(
        [*TRAINER, "run", "--request", str(tmp_path / "no.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64
    assert "no.json: there is no such file" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_subcommand_it_says_which_there_are() -> None:
    done = subprocess.run(TRAINER, capture_output=True, text=True, check=False)
    assert "run,replay,answer,inspect,fits,generate,watch" in done.stderr.replace(" ", "")


@pytest.mark.train
def test_a_process_that_is_terminated_saves_and_one_that_is_killed_is_continued(realm: Realm) -> None:
    pytest.importorskip("torch")
    quest = realm.quest(rows=40, epochs=400)
    first = realm.run(orders(quest))
    with subprocess.Popen(
        [*TRAINER, "run", "--request", str(first.request)], stdout=subprocess.DEVNULL
    ) as process:
        wait_for_updates(first.metrics, 5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0
    left = read(first.exit, RunExit)
    assert (left.reason, left.last_checkpoint_step) == ("stopped", left.step)

    second = realm.run(orders(quest, goal_updates=left.step + 4), resume_step=left.step)
    done = subprocess.run(
        [*TRAINER, "run", "--request", str(second.request)], stdout=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0
    assert read(second.exit, RunExit).step == left.step + 4


@pytest.mark.train
def test_a_process_killed_at_a_failpoint_leaves_no_exit_but_its_claim(realm: Realm) -> None:
    pytest.importorskip("torch")
    files = realm.run(orders(realm.quest()))
    done = subprocess.run(
        [*TRAINER, "run", "--request", str(files.request)],
        stdout=subprocess.DEVNULL,
        check=False,
        env={**os.environ, "REALM_FAILPOINT": "12:kill"},
    )
    assert done.returncode == -signal.SIGKILL
    assert files.process.exists()
    assert not files.exit.exists()


def wait_for_updates(metrics: Path, count: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (
            metrics.exists()
            and sum(json.loads(line)["kind"] == "update" for line in whole_lines(metrics)) >= count
        ):
            return
        time.sleep(0.02)
    raise AssertionError("no updates")


def whole_lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1]
