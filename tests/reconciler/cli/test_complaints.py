"""What people complain of in other tools of this kind, and what must not be so here: one test for each complaint."""

import hashlib
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from reconciler.loop import Pace, Tick
from reconciler.loop import run as run_loop
from reconciler.plan.retries.retry import RetryPolicy, judge

RULES = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\n"
FAILED = Tick(failed=1, plan_digest="p", is_settled=False)
WORKED = Tick(succeeded=1, plan_digest="q", is_settled=False)


@pytest.fixture
def commit(lab: Path, git: Callable[..., str]) -> Callable[..., None]:
    """Write these files below specs/, None removes one, and commit them."""

    def make(texts: dict[str, str | None]) -> None:
        for name, text in texts.items():
            path = lab / "specs" / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        git(lab, "add", "-A")
        git(lab, "commit", "-qm", "Specs")

    return make


def all_bytes(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def steps(folder: Path) -> list[int]:
    return sorted(int(path.name.removeprefix("checkpoint-")) for path in folder.glob("checkpoint-*"))


def waits(ticks: list[Tick], pace: Pace) -> list[float]:
    """Run the loop over these ticks and return how long it waited after each."""
    seen: list[float] = []

    class NoTime:
        def wait(self, seconds: float) -> None:
            seen.append(seconds)

        def is_over(self) -> bool:
            return len(seen) >= len(ticks)

    coming = itertools.chain(ticks, itertools.repeat(ticks[-1]))
    run_loop(lambda: next(coming), lambda: pace, NoTime(), "continuous")
    return seen


def test_a_stale_plan_check_after_the_effect(run, commit, root: Path, tmp_path: Path) -> None:
    """The check comes before the first byte is written, not after the first change was made."""
    commit({"queue.yaml": "quests: []\n"})
    assert run("apply", "--until-converged").exit_code == 0
    commit({"realm.yaml": "id: lab\nactive: mu/campaign-001\n"})
    file = tmp_path / "plan.json"
    run("plan", "--out", str(file))
    commit({"realm.yaml": "id: lab\n"})
    before = all_bytes(root)
    assert run("apply", str(file)).exit_code == 3
    assert all_bytes(root) == before


def test_locks_left_by_a_killed_process(run, commit, root: Path) -> None:
    """Nobody has to unlock anything: the kernel lets go of what a killed process held."""
    commit({"queue.yaml": "quests: []\n"})
    assert run("apply", "--until-converged").exit_code == 0
    program = (
        "import os, signal, sys; from pathlib import Path; from state.lock import hold_lock\n"
        "with hold_lock(Path(sys.argv[1]), command='reconcile apply', since='2026-01-31T12:00:00Z'):\n"
        "    print(flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    lock = next(path for path in (root / "control").iterdir() if path.name.endswith(".lock"))
    killed = subprocess.run([sys.executable, "-c", program, str(lock)], capture_output=True, check=False)
    assert (killed.returncode, killed.stdout) == (-9, b"\n")
    assert lock.exists()
    assert run("apply", "--once").exit_code == 0
    assert "reconciler  none is running" in run("status").stdout


def test_protection_that_vanishes_with_its_block(run, resting, commit, pass_time) -> None:
    """Whoever removes the whole spec with its pins, milestones and rules removes a line, and no checkpoint."""
    pinned = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\npins: [pip/campaign-001@100]\n"
    folder = resting({}, (100, 200, 300))
    commit({"retention.yaml": pinned})
    pass_time(3)
    assert run("apply", "--until-converged").exit_code == 0
    assert steps(folder) == [100, 300]
    commit({"campaigns/pip/campaign-001.yaml": None, "realm.yaml": "id: lab\n", "retention.yaml": RULES})
    for _ in range(3):
        pass_time(90_000)
        run("apply", "--once")
    assert steps(folder) == [100, 300]


@pytest.mark.parametrize("empty", ["no specs", "no campaigns", "no realm"])
def test_pruning_on_an_empty_source(run, resting, lab: Path, git, pass_time, empty: str) -> None:
    """A source that lost everything takes nothing with it."""
    folder = resting({}, (100, 200, 300))
    gone = {"no specs": "specs", "no campaigns": "specs/campaigns", "no realm": "specs/realm.yaml"}[empty]
    git(lab, "rm", "-rq", gone)
    (lab / "kept").write_text("the tree is empty but for this\n")
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", empty)
    pass_time(90_000)
    run("apply", "--once")
    assert steps(folder) == [100, 200, 300]
    assert json.loads(run("get", "checkpoints", "--json").stdout)["items"]


def test_deletes_that_fall_out_of_the_inventory(run, resting, commit, root: Path, pass_time) -> None:
    """What could not be deleted is planned again until it is."""
    folder = resting({}, (100, 200))
    shutil.rmtree(root / "trash", ignore_errors=True)
    (root / "trash").write_text("somebody's file where the trash belongs")
    commit({"retention.yaml": RULES})
    pass_time(3)
    for _ in range(2):
        assert run("apply", "--once").exit_code != 0
        assert steps(folder) == [100, 200]
    (root / "trash").unlink()
    assert run("apply", "--until-converged").exit_code == 0
    assert steps(folder) == [200]


def test_backoff_never_reset(rows) -> None:
    """After a success the next failure waits as long as a first one: in the loop, and between launches."""
    pace = Pace(interval_seconds=15, backoff_seconds=30, longest_backoff_seconds=1800, most_jitter=0.0)
    assert waits([FAILED, FAILED, FAILED, WORKED, FAILED, FAILED], pace) == [30, 60, 120, 0, 30, 60]
    bad = {"end": "failed", "last_checkpoint_step": None, "ended_at": "2026-01-31T12:10:00Z"}
    runs = [rows.run(attempt=1, **bad), rows.run(attempt=2, **bad)]
    policy = RetryPolicy(most_jitter=0.0)
    assert judge(runs, policy, None, "2026-01-31T12:10:00Z").not_before == "2026-01-31T12:11:00Z"
    saved = msgspec.structs.replace(rows.run(attempt=3, **bad), last_checkpoint_step=50)
    assert judge([*runs, saved], policy, None, "2026-01-31T12:10:00Z").not_before == "2026-01-31T12:10:30Z"


def test_self_heal_that_gives_up_after_one_failure(run, commit, root: Path) -> None:
    """Drift is mended however often it comes back, also after a time in which it could not be."""
    commit({"queue.yaml": "quests: []\n"})
    assert run("apply", "--until-converged").exit_code == 0
    pointer = root / "control" / "active_campaign.json"
    good = json.loads(pointer.read_text())["campaign_id"]
    for drift in ("{}", "torn", '{"campaign_id": "campaign-009"}'):
        pointer.write_text(drift)
        run("apply", "--once")
        assert json.loads(pointer.read_text())["campaign_id"] == good
    pointer.unlink()
    pointer.mkdir()
    (pointer / "mine").write_text("x")
    assert run("apply", "--once").exit_code != 0
    shutil.rmtree(pointer)
    assert run("apply", "--until-converged").exit_code == 0
    assert json.loads(pointer.read_text())["campaign_id"] == good
    assert len(waits([FAILED] * 8, Pace(interval_seconds=15))) == 8


def test_rename_is_delete_and_create(run, resting, lab: Path, git, pass_time) -> None:
    """A spec file that was moved is the same campaign: nothing is created, nothing taken away from what it has."""
    folder = resting({}, (100, 200, 300))
    (lab / "specs/retention.yaml").write_text(RULES)
    git(lab, "mv", "specs/campaigns/pip/campaign-001.yaml", "specs/campaigns/pip/campaign-007.yaml")
    text = (lab / "specs/campaigns/pip/campaign-007.yaml").read_text()
    (lab / "specs/campaigns/pip/campaign-007.yaml").write_text(text.replace("campaign-001", "campaign-007"))
    (lab / "specs/realm.yaml").write_text("id: lab\n")
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", "moved")
    pass_time(90_000)
    plan = json.loads(run("plan", "--json").stdout)
    assert [change["verb"] for change in plan["changes"] if change["symbol"] in "+-→"] == ["rename"]
    run("apply", "--once")
    assert steps(folder) == [100, 200, 300]


def test_suspended_shown_as_healthy(run, commit, store) -> None:
    """What is suspended is neither synced nor healthy, and says who, why and until when."""
    commit(
        {
            "campaigns/pip/campaign-001.yaml": "id: campaign-001\nsuspend: {reason: new card, until: 2099-01-01}\n"
        }
    )
    report = json.loads(run("status", "--json").stdout)
    (pip,) = (one for one in report["campaigns"] if one["name"] == "pip/campaign-001")
    assert (pip["synced"]["state"], pip["healthy"]["state"]) == ("suspended", "suspended")
    assert "is suspended until 2099-01-01: new card" in pip["healthy"]["sentence"]


def test_one_failing_thing_starving_the_rest(run, commit, root: Path) -> None:
    """A campaign that cannot be made keeps no other from being made, activated and settled."""
    commit({"queue.yaml": "quests: []\n"})
    (root / "campaigns/mu").mkdir(parents=True)
    (root / "campaigns/mu/campaign-001").write_text("somebody's file where a campaign belongs")
    told = run("apply", "--once")
    assert "✓ create     campaign pip/campaign-001" in told.stdout
    assert "✓ activate   pip/campaign-001" in told.stdout
    assert told.exit_code != 0
    (root / "campaigns/mu/campaign-001").unlink()
    assert run("apply", "--until-converged").exit_code == 0
    assert run("plan", "--detailed-exitcode").exit_code == 0


def test_noise_in_drift(run, resting) -> None:
    """What no rule reads (times of files, logs, heartbeats of a run that is over) is no difference."""
    folder = resting({}, (100,))
    campaign = folder.parent
    for path in (campaign / "campaign.json", folder / "checkpoint-100" / "manifest.json"):
        path.touch()
    (campaign / "logs").mkdir(exist_ok=True)
    (campaign / "logs" / "training.log.1").write_text("a line\n")
    plan = json.loads(run("plan", "--json").stdout)
    assert (plan["changes"], plan["blocked"]) == ([], [])


def test_a_save_reported_that_did_not_land(run, resting) -> None:
    """A checkpoint is in the ledger when all of it lies there, whatever anybody says."""
    folder = resting({}, (100,))
    half = folder / "checkpoint-200"
    shutil.copytree(folder / "checkpoint-100", half)
    manifest = half / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_text(manifest.read_text().replace('"step":100', '"step":200'))
    unfinished = folder / "checkpoint-300"
    unfinished.mkdir()
    (unfinished / "model.safetensors").write_bytes(b"weights")
    run("apply", "--once")
    shown = json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    assert [one["step"] for one in shown if one.get("state") not in ("foreign", "incomplete")] == [100]
    assert half.exists()
    assert unfinished.exists()
