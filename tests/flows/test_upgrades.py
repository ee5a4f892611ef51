"""The software is exchanged while a trainer of another version runs: it is adopted, and never killed or doubled."""

import json
import os
import signal
from pathlib import Path

import msgspec
import pytest
from lab import Lab, Process, found_realm, rows, wait_until

from state.contract.orders import Orders
from state.contract.process import ProcessIdentity
from state.contract.request import RunRequest
from state.contract.status import RunStatus

pytestmark = [pytest.mark.train, pytest.mark.timeout(900)]

CAMPAIGN = "one/campaign-001"
UNTROUBLED = (0, 3)
"""Nothing to do; or, where this machine is so slow that a trainer which stands still is named as silent, blocked."""
FILES: dict[str, type[msgspec.Struct]] = {
    "request": RunRequest, "orders": Orders, "process": ProcessIdentity, "status": RunStatus,
}  # fmt: skip


def frozen_trainer(lab: Lab) -> tuple[Process, Path]:
    """Let a real trainer train, then stand still: nobody but the test writes its files from then on."""
    lab.write("data/a.jsonl", rows(range(50)))
    found_realm(lab, ["one"], CAMPAIGN, [{"id": "a", "file": "data/a.jsonl", "epochs": 1000}])
    lab.reconcile("apply", "--once")
    wait_until(lab.trainers, 250, "a trainer has claimed its run")
    ((process, run),) = lab.trainers().items()
    wait_until(lambda: phase(run) == "training", 250, "it trains")
    os.kill(process.pid, signal.SIGSTOP)
    return process, run


def phase(run: Path) -> str:
    path = run / "status.json"
    return str(json.loads(path.read_bytes())["phase"]) if path.exists() else ""


def rewrite(path: Path, **changes: object) -> None:
    said = {**json.loads(path.read_bytes()), **changes}
    path.chmod(0o600)
    path.write_text(json.dumps({name: value for name, value in said.items() if value is not msgspec.UNSET}))


def test_a_trainer_of_an_older_or_a_newer_version_is_adopted_and_goes_on(the_lab: Lab) -> None:
    """An older one says only what the first version of each file said; a newer one what nobody here knows."""
    process, run = frozen_trainer(the_lab)
    for name, record in FILES.items():
        later = [field.encode_name for field in msgspec.structs.fields(record) if not field.required]
        rewrite(run / f"{name}.json", **dict.fromkeys(later, msgspec.UNSET))

    older = the_lab.reconcile("apply", "--once")

    assert older.returncode in UNTROUBLED, older.stderr
    assert f"training of {CAMPAIGN} goes on (pid {process.pid})" in older.stderr
    for name in ("status", "process"):
        rewrite(run / f"{name}.json", schema_version=2, phases=["x"])
        assert the_lab.plan()["changes"] == []
        assert the_lab.reconcile("apply", "--once").returncode in UNTROUBLED
        rewrite(run / f"{name}.json", schema_version=1)
    assert the_lab.trainers() == {process: run}
    assert the_lab.runs() == [run]
    os.kill(process.pid, signal.SIGCONT)
    wait_until(lambda: the_lab.newest_step(CAMPAIGN) > 0, 250, "it saves")
