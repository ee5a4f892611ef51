"""A trainer that another PID namespace started (apply was begun anew in another container) is not dead."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lab import Lab, found_realm, rows, wait_until

NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--")
HERO = "pip/campaign-001"


@pytest.fixture(autouse=True)
def _may_make_namespaces() -> None:
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare(1) to make a PID namespace with")
    done = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no PID namespace may be made here: {done.stderr.strip()}")


def elsewhere(lab: Lab, *arguments: str) -> str:
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-m", "reconciler.cli", *arguments],
        cwd=lab.repository, env=lab.environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def start_training(lab: Lab) -> None:
    lab.write("quests/sums.jsonl", rows(range(40)))
    found_realm(lab, ["pip"], HERO, [])
    lab.converge()
    lab.spec("queue", quests=[{"id": "sums", "file": "quests/sums.jsonl", "epochs": 500}])
    lab.commit("something to learn")
    said = lab.reconcile("apply", "--once")
    wait_until(
        lambda: lab.newest_step(HERO), 60, "it trains and saves", say=lambda: said.stdout + said.stderr
    )


def phase(run: Path) -> str:
    return (run / "status.json").read_text(encoding="utf-8")


def test_a_trainer_that_lives_elsewhere_is_not_lost_and_heeds_pause_and_stop(the_lab: Lab) -> None:
    start_training(the_lab)
    before = the_lab.trainers()
    (run,) = before.values()

    assert "unreachable" in elsewhere(the_lab, "plan", "--json")
    elsewhere(the_lab, "apply", "--once")
    assert the_lab.trainers() == before
    assert [(one.state, one.attempt) for one in the_lab.store().runs] == [("running", 1)]

    elsewhere(the_lab, "pause")
    said = elsewhere(the_lab, "apply", "--once")
    assert "no trainer of it is at work" not in said, said
    wait_until(lambda: '"phase":"paused"' in phase(run), 60, "it has paused", say=lambda: phase(run))
    assert the_lab.trainers() == before
    elsewhere(the_lab, "resume")

    elsewhere(the_lab, "stop")
    said = elsewhere(the_lab, "apply", "--once")
    assert not the_lab.trainers(), said
    assert [(one.state, one.end) for one in the_lab.store().runs] == [("ended", "stopped")], said


def test_a_trainer_killed_elsewhere_is_lost_and_the_next_one_goes_on(the_lab: Lab) -> None:
    start_training(the_lab)
    the_lab.end()

    said = elsewhere(the_lab, "apply", "--once")

    assert [(one.state, one.end) for one in the_lab.store().runs][:1] == [("ended", "lost")], said
