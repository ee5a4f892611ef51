"""From the start of the process to the first update of the tiny hero, beside a TRL SFTTrainer script."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from machine import environment
from peer_libraries import SFT_TRAINER, missing
from realms import Realm

REPEAT = 5
PEER = Path(__file__).resolve().parent / "peers" / "sft_first_update.py"


def measure(folder: Path) -> Iterator[str]:
    if (why := missing(SFT_TRAINER)) is not None:
        yield f"not measured: {why}"
        return
    request = request_of_first_run(Realm(folder))
    ours, theirs = [], []
    for number in range(REPEAT + 1):
        ours.append(_ours(request, folder / f"run-{number}"))
        theirs.append(_theirs(request))
    mine, peer = statistics.median(ours[1:]), statistics.median(theirs[1:])
    yield f"python -m trainer  {mine:.2f} s   ({min(ours[1:]):.2f} to {max(ours[1:]):.2f})"
    yield f"TRL SFTTrainer     {peer:.2f} s   ({min(theirs[1:]):.2f} to {max(theirs[1:]):.2f})"
    yield f"ratio              {mine / peer:.2f} (goal: at most 0.5)"


def request_of_first_run(realm: Realm) -> Path:
    """Return request.json of the demo's first run, and orders.json beside it; the trainer itself is stopped."""
    realm.run("apply", "--once")
    (run,) = (realm.root / "campaigns" / "tiny-adamw" / "campaign-001" / "runs").iterdir()
    while not (run / "process.json").exists():
        time.sleep(0.05)
    os.kill(json.loads((run / "process.json").read_text())["pid"], 9)
    return run / "request.json"


def _ours(request: Path, run: Path) -> float:
    run.mkdir()
    asked = json.loads(request.read_text())
    (run / "checkpoints").mkdir()
    asked |= {"checkpoints_dir": str(run / "checkpoints"), "trainer_lock": str(run / "lock")}
    (run / "request.json").write_text(json.dumps(asked))
    (run / "orders.json").write_bytes((request.parent / "orders.json").read_bytes())
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", "run", "--request", str(run / "request.json")],
        env={**environment(), "REALM_RUN_COOKIE": "bench"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _has_update(run / "metrics.jsonl"):
            assert process.poll() is None, f"the trainer ended: see {run}"
            time.sleep(0.005)
        return time.perf_counter() - begun
    finally:
        process.kill()
        process.wait()


def _has_update(metrics: Path) -> bool:
    return metrics.exists() and b'"kind":"update"' in metrics.read_bytes()


def _theirs(request: Path) -> float:
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(PEER), str(request)],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert "first update" in done.stdout, done.stderr[-2000:]
    at = float(done.stdout.rpartition("first update ")[2].split()[0])
    return at - begun
