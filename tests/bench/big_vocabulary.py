"""151,936 tokens, half of them trained, one core, fp32, beside a Hugging Face Trainer: speed, memory, losses."""

import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from peer_libraries import TRAINER, missing

PEER = Path(__file__).resolve().parent / "peers" / "big_vocabulary.py"
UPDATES, REPEAT = 4, 2
SPEED_GOAL, MEMORY_GOAL = 2.2, 0.6


class Told(NamedTuple):
    seconds: float
    """CPU time of one update: the median, the first one left out."""
    peak_bytes: int
    """Resident memory of the whole process; the libraries alone take some 0.4 GB of it on both sides."""
    losses: list[float]


def measure(_folder: Path) -> Iterator[str]:
    if (why := missing(TRAINER)) is not None:
        yield f"not measured: {why}"
        return
    ours, theirs = [], []
    for _ in range(REPEAT):
        ours.append(_run("ours"))
        theirs.append(_run("theirs"))
    mine, peer = (statistics.median(told.seconds for told in side) for side in (ours, theirs))
    memory = max(told.peak_bytes for told in ours) / max(told.peak_bytes for told in theirs)
    apart = max(abs(a - b) for a, b in zip(ours[0].losses, theirs[0].losses, strict=True))
    yield f"ours                  {_line(ours)}"
    yield f"Hugging Face Trainer  {_line(theirs)}"
    yield f"speed                 {peer / mine:.2f} x (goal: at least {SPEED_GOAL})"
    yield f"memory                {memory:.2f} x (goal: at most {MEMORY_GOAL})"
    yield f"losses                at most {apart:.1e} apart over {UPDATES} updates (bound: 1e-5 relative)"


def _line(told: list[Told]) -> str:
    seconds = " and ".join(f"{one.seconds:.2f}" for one in told)
    return f"{seconds} CPU seconds an update, peak {max(one.peak_bytes for one in told) / 1e9:.2f} GB"


def _run(side: str) -> Told:
    done = subprocess.run(
        [sys.executable, str(PEER), side, str(UPDATES)],
        check=False, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"cpu_seconds"')]
    ends = [record["cpu_seconds"] for record in told]
    each = [end - start for start, end in itertools.pairwise(ends)]
    return Told(statistics.median(each), told[-1]["peak_bytes"], [record["loss"] for record in told])
