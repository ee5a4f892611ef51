"""What failed when it was tried is told by every command that people look at: how often, why, and the way out."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import reconciler

CHECKOUT = str(Path(reconciler.__file__).parents[1])
NAME = "pip/campaign-001"
AT_ONCE = "id: lab\napply: {interval: 100ms, retry: {backoff: 60s}}\n"


def plain(text: str) -> str:
    return " ".join(text.split())


TIME = "TIME"


def told_by(run, *command: str) -> str:
    done = run(*command)
    return moments_out(plain(done.stdout + done.stderr))


def moments_out(text: str) -> str:
    return re.sub(r"20\d\d-\d\d-\d\dT[0-9:]+Z", TIME, text)


@pytest.fixture
def damaged(resting, tmp_path: Path) -> Path:
    """A checkpoint of ours in a folder elsewhere, of which one byte is not as it was saved."""
    checkpoints = resting({"specs/realm.yaml": AT_ONCE}, (100,))
    copy = Path(shutil.copytree(checkpoints / "checkpoint-100", tmp_path / "old/checkpoint-100"))
    weights = copy / "model.safetensors"
    weights.chmod(0o600)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    return copy


def test_an_import_of_what_is_damaged_is_blocked_while_apply_runs_and_told_by_every_view(
    run, damaged: Path
) -> None:
    why = f"{damaged} is damaged: model.safetensors has BLAKE3"
    assert run("import", str(damaged), "--hero", "pip").exit_code == 0

    applied = run("apply", "--until-converged")

    assert applied.exit_code == 3, applied.stdout + applied.stderr
    said = plain(applied.stdout)
    assert said.count("✗ import") == 1
    assert f"! blocked campaign/pip/campaign-002: import failed once at {TIME}: {why}" in moments_out(said)
    assert "1 blocked" in said
    plan = told_by(run, "plan")
    assert f"; failed once at {TIME}: {why}" in plan
    assert "→ mend that, then it goes on by itself; or change what asks for it: specs/campaigns/pip/" in plan
    assert "Plan: 1 to import, 1 of them failed when last tried" in plan
    status = told_by(run, "status")
    assert "plan 1 change, 1 of them failed when last tried, 0 blocked" in status
    assert f"out of sync: fails, import failed once at {TIME}: {why}" in status
    assert "degraded: fails" in status
    assert 'realm_failing{realm="lab"} 1' in run("status", "--prometheus").stdout
    doctor = told_by(run, "doctor")
    assert f"warn plan campaign/pip/campaign-002: import failed once at {TIME}: {why}" in doctor
    assert "are well" not in doctor


def test_what_was_mended_is_tried_at_once_by_the_next_apply_and_nothing_of_it_is_told_after(
    run, damaged: Path, root: Path
) -> None:
    run("import", str(damaged), "--hero", "pip")
    assert run("apply", "--until-converged").exit_code == 3
    whole = root / "campaigns/pip/campaign-001/checkpoints/checkpoint-100/model.safetensors"
    shutil.copyfile(whole, damaged / "model.safetensors")

    assert run("apply", "--until-converged").exit_code == 0

    assert "Nothing to do" in told_by(run, "plan")
    assert "failed" not in told_by(run, "status")
    assert "checks are well" in told_by(run, "doctor")


@pytest.fixture
def at_work(lab: Path, root: Path, damaged: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An apply that goes on by itself, as a process of its own."""
    given = {**os.environ, "REALM_REPO": str(lab), "REALM_ROOT": str(root), "PYTHONPATH": CHECKOUT}
    process = subprocess.Popen([sys.executable, "-m", "reconciler.cli", "apply"], env=given, cwd=lab)
    yield process
    process.terminate()
    process.wait(30)


def test_the_apply_at_work_waits_longer_after_each_failure_and_a_person_has_it_tried_at_once(
    run, damaged: Path, at_work: subprocess.Popen[bytes], root: Path
) -> None:
    run("import", str(damaged), "--hero", "pip")
    blocked = "! blocked campaign/pip/campaign-002 import failed {} TIME: "
    plan = until(run, blocked.format("once at"))
    assert "nothing was taken in; tries again at TIME" in plan
    assert "to try at once: reconcile resume pip/campaign-002" in plan
    assert "Nothing that apply could do: 1 blocked" in plan
    status = told_by(run, "status")
    assert "plan 0 changes, 1 blocked" in status
    assert "blocked: fails-import" in status

    first = plan_moment(run)
    run("resume", "pip/campaign-002")
    until(run, "campaign/pip/campaign-002 import failed once at TIME", other_than=first)

    whole = root / "campaigns/pip/campaign-001/checkpoints/checkpoint-100/model.safetensors"
    shutil.copyfile(whole, damaged / "model.safetensors")
    run("resume", "pip/campaign-002")
    until(run, "Nothing to do")
    assert at_work.poll() is None


def plan_moment(run) -> str:
    """Return when a plan says that something failed."""
    found = re.search(r"failed .*?at (20[0-9T:Z-]+)", plain(run("plan").stdout))
    return found[1] if found else ""


def until(run, words: str, other_than: str | None = None) -> str:
    """Return the plan once it says these words, and names another moment of failure than that one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told = told_by(run, "plan")
        if words in told and (other_than is None or plan_moment(run) != other_than):
            return told
        time.sleep(0.3)
    raise AssertionError(told)


def test_an_export_that_does_not_fit_is_told_with_the_room_that_it_needs(
    run, resting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting({"specs/realm.yaml": AT_ONCE}, (100, 200))
    (usb := tmp_path / "usb").mkdir()
    let_it_be_full(usb, monkeypatch)
    run("export", NAME, "--to", str(usb))

    assert run("apply", "--once").exit_code == 3

    why = f"{usb} has 0 B left, 2 kB are needed for its export"
    assert f"! blocked campaign/{NAME} {why}" in told_by(run, "plan")
    assert f"blocked: export-no-room, {why}" in told_by(run, "status")
    assert f"warn plan campaign/{NAME}: {why} → make room there" in told_by(run, "doctor")
    monkeypatch.undo()
    assert run("apply", "--until-converged").exit_code == 0
    assert sorted(one.name for one in usb.rglob("checkpoint-*")) == ["checkpoint-100", "checkpoint-200"]


def test_doctor_says_since_when_no_copy_of_the_store_was_made(
    run, resting, pass_time, publish, root: Path
) -> None:
    checkpoints = resting({"specs/realm.yaml": AT_ONCE}, (100,))
    assert "no copy of it" not in told_by(run, "doctor")
    (backups,) = {path.parent for path in root.rglob("realm-*-e*.db")}
    shutil.rmtree(backups)
    backups.write_text("what somebody put there")
    pass_time(3 * 24 * 3600)
    publish(checkpoints, 200)

    assert "no copy of the store was made today" in plain(run("apply", "--once").stderr)

    doctor = told_by(run, "doctor")
    assert re.search(r"warn store whole; .*; no copy of it was made at all, since 20\S+, and it was", doctor)
    assert f"look at the room and the rights of {backups}" in doctor
    backups.unlink()
    publish(checkpoints, 300)
    run("apply", "--once")
    assert "no copy of it" not in told_by(run, "doctor")


def let_it_be_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system say of a folder's disk that no byte of it is free."""
    ask = os.statvfs

    def full(path: str | Path) -> object:
        return SimpleNamespace(f_bavail=0, f_frsize=4096) if Path(path) == folder else ask(path)

    monkeypatch.setattr(os, "statvfs", full)
