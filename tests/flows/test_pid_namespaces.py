"""A trainer that another PID namespace started (apply was begun anew in another container) is not dead."""

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from lab import Lab, found_realm, rows, wait_until

NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--")
OF_THE_HOST = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--")
"""Another PID namespace that still sees the host's /proc, with the host's numbers."""
USER_ONLY = ("unshare", "--user", "--map-root-user", "--")
"""The numbers are the same, and no environment of another process may be read."""
HERO = "pip/campaign-001"
CONTAINERS = pytest.mark.parametrize(
    "namespace", [NAMESPACE, OF_THE_HOST, USER_ONLY], ids=["own /proc", "the host's /proc", "user namespace"]
)


@pytest.fixture(autouse=True)
def _may_make_namespaces() -> None:
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare(1) to make a PID namespace with")
    done = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no PID namespace may be made here: {done.stderr.strip()}")


def elsewhere(lab: Lab, *arguments: str, namespace: tuple[str, ...] = NAMESPACE) -> str:
    done = subprocess.run(
        [*namespace, sys.executable, "-m", "reconciler.cli", *arguments],
        cwd=lab.repository, env=lab.environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def begin_training(lab: Lab) -> None:
    lab.write("quests/sums.jsonl", rows(range(40)))
    found_realm(lab, ["pip"], HERO, [])
    lab.converge()
    lab.spec("queue", quests=[{"id": "sums", "file": "quests/sums.jsonl", "epochs": 500}])
    lab.commit("something to learn")


def start_training(lab: Lab) -> None:
    begin_training(lab)
    said = lab.reconcile("apply", "--once")
    wait_until(
        lambda: lab.newest_step(HERO), 60, "it trains and saves", say=lambda: said.stdout + said.stderr
    )


def phase(run: Path) -> str:
    return (run / "status.json").read_text(encoding="utf-8")


@CONTAINERS
def test_a_trainer_that_lives_elsewhere_is_not_lost_and_heeds_pause_and_stop(
    the_lab: Lab, namespace: tuple[str, ...]
) -> None:
    there = partial(elsewhere, the_lab, namespace=namespace)
    start_training(the_lab)
    before = the_lab.trainers()
    (run,) = before.values()

    assert "unreachable" in there("plan", "--json")
    there("apply", "--once")
    assert the_lab.trainers() == before
    assert [(one.state, one.attempt) for one in the_lab.store().runs] == [("running", 1)]

    there("pause")
    said = there("apply", "--once")
    assert "no trainer of it is at work" not in said, said
    wait_until(lambda: '"phase":"paused"' in phase(run), 60, "it has paused", say=lambda: phase(run))
    assert the_lab.trainers() == before
    there("resume")

    there("stop")
    said = there("apply", "--once")
    assert not the_lab.trainers(), said
    assert [(one.state, one.end) for one in the_lab.store().runs] == [("ended", "stopped")], said


def test_a_trainer_that_was_started_under_the_host_s_proc_is_found_again_and_stopped_there(
    the_lab: Lab,
) -> None:
    """The container sees the host's numbers: those of its own processes are not among them."""
    begin_training(the_lab)
    script = """
        $R apply --once; while ! [ -e "$1"/runs/g1-a1/status.json ]; do sleep 0.2; done
        $R apply --once; $R apply --once; echo; echo "RUNS $(ls "$1/runs")"
        $R stop; $R apply --once
    """
    done = subprocess.run(
        [*OF_THE_HOST, "bash", "-c", script, "bash", str(the_lab.layout.campaign(HERO).folder)],
        cwd=the_lab.repository, env={**the_lab.environment(), "R": f"{sys.executable} -m reconciler.cli"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "RUNS g1-a1\n" in said, said
    assert [(one.state, one.end) for one in the_lab.store().runs] == [("ended", "stopped")], said


def test_a_trainer_killed_elsewhere_is_lost_and_the_next_one_goes_on(the_lab: Lab) -> None:
    start_training(the_lab)
    the_lab.end()

    said = elsewhere(the_lab, "apply", "--once")

    assert [(one.state, one.end) for one in the_lab.store().runs][:1] == [("ended", "lost")], said


def make_older(lab: Lab) -> None:
    """Let it look as if a trainer of an older version trained: it names no namespace and holds no folder."""
    ((process, run),) = lab.trainers().items()
    os.kill(process.pid, signal.SIGSTOP)
    held = run.rename(run.with_name("held"))
    run.mkdir(mode=0o700)
    for file in held.iterdir():
        file.rename(run / file.name)
    held.rmdir()
    said = json.loads((run / "process.json").read_bytes())
    del said["pid_namespace"], said["folder_id"]
    (run / "process.json").chmod(0o600)
    (run / "process.json").write_text(json.dumps(said))
    os.kill(process.pid, signal.SIGCONT)


@CONTAINERS
def test_a_trainer_of_an_older_version_that_lives_elsewhere_is_not_lost_and_heeds_stop(
    the_lab: Lab, namespace: tuple[str, ...]
) -> None:
    there = partial(elsewhere, the_lab, namespace=namespace)
    start_training(the_lab)
    make_older(the_lab)
    before = the_lab.trainers()

    said = there("apply", "--once")
    assert the_lab.trainers() == before, said
    assert [(one.state, one.attempt) for one in the_lab.store().runs] == [("running", 1)], said
    the_lab.reconcile("apply", "--once")
    assert the_lab.trainers() == before

    there("stop")
    said = there("apply", "--once")
    assert [(one.state, one.end) for one in the_lab.store().runs] == [("ended", "stopped")], said
    wait_until(lambda: not the_lab.trainers(), 60, "it leaves: it gives the realm's lock back before")


def test_a_trainer_of_an_older_version_that_was_killed_elsewhere_is_lost(the_lab: Lab) -> None:
    start_training(the_lab)
    make_older(the_lab)
    the_lab.end()

    said = elsewhere(the_lab, "apply", "--once")

    assert [(one.state, one.end) for one in the_lab.store().runs][:1] == [("ended", "lost")], said
