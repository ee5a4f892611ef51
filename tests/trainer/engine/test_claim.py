"""Claiming a run: one process per run folder, one trainer per realm, nothing heavy before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from state.contract.files import read
from state.contract.process import COOKIE_VARIABLE, EXIT_ALREADY_CLAIMED, ProcessIdentity
from trainer.engine.claim import AlreadyClaimedError, LockBusyError, claim_run, held_lock, start_ticks

RUN_TWICE = """
import sys
from pathlib import Path
from trainer.engine.run import run
code = run(Path(sys.argv[1]))
assert "torch" not in sys.modules
sys.exit(code)
"""
HOLD = """
import sys
from pathlib import Path
from trainer.engine.claim import held_lock
with held_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_claim_names_this_process_and_its_cookie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COOKIE_VARIABLE, "biscuit")

    identity = claim_run(tmp_path / "process.json")

    assert read(tmp_path / "process.json", ProcessIdentity) == identity
    assert (identity.pid, identity.cookie) == (os.getpid(), "biscuit")
    assert identity.works_in(tmp_path.stat())
    assert not identity.works_in(tmp_path.parent.stat())
    assert identity.start_ticks == start_ticks(Path(f"/proc/{os.getpid()}/stat").read_text(encoding="utf-8"))


def test_a_run_is_claimed_once_and_the_claim_stays(tmp_path: Path) -> None:
    claim_run(tmp_path / "process.json")
    before = (tmp_path / "process.json").read_bytes()

    with pytest.raises(AlreadyClaimedError, match="claimed already"):
        claim_run(tmp_path / "process.json")

    assert (tmp_path / "process.json").read_bytes() == before


def test_the_start_time_is_found_behind_a_hostile_process_name() -> None:
    fields = " ".join(str(number) for number in range(3, 53))
    assert start_ticks(f"7 (a) (b c) {fields}") == 22


def test_whoever_comes_second_leaves_with_75_touching_nothing_and_without_torch(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text("not even JSON", encoding="utf-8")
    (tmp_path / "process.json").write_text("somebody", encoding="utf-8")

    done = _python(RUN_TWICE, tmp_path / "request.json")

    assert done.returncode == EXIT_ALREADY_CLAIMED, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["process.json", "request.json"]


def test_the_lock_of_a_living_process_is_refused_and_free_after_its_death(tmp_path: Path) -> None:
    lock = tmp_path / "control" / "trainer.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockBusyError, match=r"another trainer holds the lock .*trainer\.lock"):
            held_lock(lock)
        holder.kill()
        holder.wait()
        with held_lock(lock):
            pass


def _python(code: str, *arguments: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
