"""From a process's start to its first update when it goes on late in a long quest, beside early in it."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "trainer"))
from builders import Realm, a_config, a_training, orders
from machine import environment

ROWS, EARLY, LATE, REPEAT, GOAL = 4_000, 5, 400, 2, 1.1


def measure(folder: Path) -> Iterator[str]:
    realm = Realm(folder / "realm")
    quest = realm.quest(rows=ROWS)
    config = a_config(training=a_training(), held_out_fraction=0.0, evaluate_every=0)
    resume = None
    for step in (EARLY, LATE):
        _seconds(realm.run(orders(quest, goal_updates=step), config, resume_step=resume).request)
        resume = step
    taken = {step: [] for step in (EARLY, LATE)}
    for _ in range(REPEAT):
        for step, seconds in taken.items():
            files = realm.run(
                orders(quest, goal_updates=step + 1),
                config,
                resume_step=step,
                checkpoints_dir=str(_copy(realm, step, folder)),
            )
            seconds.append(_seconds(files.request))
    early, late = (statistics.median(taken[step]) for step in (EARLY, LATE))
    for name, step in (("early", EARLY), ("late", LATE)):
        told = f"({min(taken[step]):.2f} to {max(taken[step]):.2f})"
        yield f"at update {step:<6,} {statistics.median(taken[step]):.2f} s   {told}, {name} in {ROWS:,} rows"
    yield f"ratio            {late / early:.3f} (goal: at most {GOAL})"


def _copy(realm: Realm, step: int, folder: Path) -> Path:
    """Return a folder with this checkpoint alone, as hard links: each measurement saves its next one there."""
    number = len(list(folder.glob("from-*")))
    source, target = realm.campaign.checkpoint(step), folder / f"from-{number}" / f"checkpoint-{step}"
    target.mkdir(parents=True)
    for path in source.iterdir():
        os.link(path, target / path.name)
    return target.parent


def _seconds(request: Path) -> float:
    """Run to the end; return the seconds from the process's start to the end of its first update."""
    command = [sys.executable, "-m", "trainer", "run", "--request", str(request)]
    settings = {**environment(), "OMP_NUM_THREADS": "1", "REALM_RUN_COOKIE": "bench"}
    started, metrics = time.perf_counter(), request.parent / "metrics.jsonl"
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=settings
    ) as process:
        while process.poll() is None and not _has_update(metrics):
            time.sleep(0.005)
        seconds = time.perf_counter() - started
    assert process.returncode == 0, f"the trainer failed: {process.returncode}, {request}"
    return seconds


def _has_update(metrics: Path) -> bool:
    lines = metrics.read_text().splitlines() if metrics.exists() else []
    return any(json.loads(line)["kind"] == "update" for line in lines if line.endswith("}"))
