"""The real command, hit where it asks the kernel: what failpoints do not see (strace -e inject)."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from edits import CAMPAIGNS, Edit, new_world, specs_of
from lab import CHECKOUT, Lab
from worlds import World

CALLS = (
    *("fsync", "fdatasync", "syncfs", "pwrite64", "ftruncate", "linkat", "symlinkat"),
    *("renameat2", "rename", "renameat", "mkdir", "mkdirat", "unlink", "unlinkat"),
)
"""Calls that change files, or make changes durable; an interpreter needs few of them for itself."""
FAULTS = ("signal=KILL", "error=ENOSPC", "error=EIO", "error=EINTR")
LEAST_FAULTS = 1_000
QUEST = {"id": "a", "file": "data/a.jsonl", "epochs": 1, "priority": "normal", "for": list(CAMPAIGNS[:3])}
TIMES = ("_at", "_seconds")


def lived(folder: Path) -> World:
    """Return a realm with saves, and a commit that moves them: one campaign is archived, another active."""
    world = new_world(folder)
    goals = dict.fromkeys(CAMPAIGNS[:3], 3)
    before = Edit([*CAMPAIGNS[:3]], CAMPAIGNS[0], [QUEST], goals, None, 0.001, every_updates=1)
    world.commit(specs_of(world, before))
    world.apply()
    after = before._replace(active=None, archived=[CAMPAIGNS[0]], milestones={CAMPAIGNS[1]: [1]})
    world.commit(specs_of(world, after))
    return world


def apply(lab: Lab, *strace: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*strace, sys.executable, "-m", "reconciler.cli", "apply", "--until-converged"],
        cwd=lab.repository,
        env=lab.environment() | {"PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def end_of(lab: Lab) -> tuple[Any, ...]:
    """Return what must be equal after every fault: where every save lies, and what the store says of it."""
    root, view = lab.layout.root, lab.store()
    saves = {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("checkpoint-*/*.safetensors")
    }
    ledger = [(row.sequence, row.path, row.digest, row.damage) for row in view.ledger]
    campaigns = sorted((row.name, row.status) for row in view.campaigns)
    runs = sorted((run.campaign_uid, run.generation, run.attempt) for run in view.runs)
    assert not list(root.rglob(".staging-*"))
    return saves, ledger, campaigns, runs


class Trials:
    """One realm, put back before each fault."""

    def __init__(self, folder: Path) -> None:
        self.lab = lived(folder / "realm").lab
        self._template = folder / "template"
        self._log = folder / "strace.log"
        shutil.copytree(self.lab.layout.root, self._template, symlinks=True)
        assert apply(self.lab).returncode == 0
        self._end = end_of(self.lab)
        self.num_met = 0

    def hit(self, call: str, fault: str, when: int) -> bool:
        """Let one call fail, apply again, compare; say whether the process made so many of these calls."""
        self._put_back()
        apply(
            self.lab, "strace", "-f", "--seccomp-bpf", "-qq", "-o", str(self._log), "-e", f"trace={call}",
            "-e", f"inject={call}:{fault}:when={when}",
        )  # fmt: skip
        log = self._log.read_text()
        if "(INJECTED)" not in log and "killed by SIGKILL" not in log:
            return False
        done = apply(self.lab)
        where = f"{call}, {fault}, {when}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        assert done.returncode == 0, where
        assert end_of(self.lab) == self._end, where
        self.num_met += 1
        return True

    def _put_back(self) -> None:
        shutil.rmtree(self.lab.layout.root)
        shutil.copytree(self._template, self.lab.layout.root, symlinks=True)


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    may = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False, capture_output=True)
    if may.returncode != 0:
        pytest.skip("this machine lets nobody trace a process")
    return Trials(tmp_path)


@pytest.mark.long
@pytest.mark.timeout(3 * 3600)
def test_a_thousand_calls_of_the_real_process_that_fail_lose_no_save(
    trials: Trials, record_property: Any
) -> None:
    left = {(call, fault): 1 for call in CALLS for fault in FAULTS}
    while left and trials.num_met < LEAST_FAULTS:
        for (call, fault), when in list(left.items())[: LEAST_FAULTS - trials.num_met]:
            if trials.hit(call, fault, when):
                left[call, fault] = when + 1
            else:
                del left[call, fault]
    record_property("faults", {"strace": trials.num_met})
    assert trials.num_met >= LEAST_FAULTS
