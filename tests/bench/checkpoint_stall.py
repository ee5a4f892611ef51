"""What training waits for a checkpoint (weights, AdamW state, random state), beside Hugging Face Trainer's save.

Both sides with every core, as both train a model of this size, and both with one alone: what we wait for is a
copy in memory, which takes half the time with two cores; the peer writes with one, however many it has.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "trainer"))
from builders import Realm, a_config, a_model, orders
from peer_libraries import TRAINER, missing
from seen import metrics

NUM_SAVES, GOAL = 5, 0.2
SHAPE = {
    "hidden_size": 512,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "intermediate_size": 2048,
}
"""51 million parameters: 0.6 GB of weights and moments in float32."""


def measure(folder: Path) -> Iterator[str]:
    if (why := missing(TRAINER)) is not None:
        yield f"not measured: {why}"
        return
    cores = len(os.sched_getaffinity(0))
    for threads in sorted({cores, 1}, reverse=True):
        (place := folder / str(threads)).mkdir()
        yield f"{threads} of {cores} cores:"
        yield from _measure_with(threads, place)


def _measure_with(threads: int, folder: Path) -> Iterator[str]:
    with _cores(threads):
        theirs = _theirs(folder, threads)
        stalls, writes, held = _ours(folder, threads)
    usual, peer = statistics.median(stalls[1:]), statistics.median(theirs)
    yield f"python -m trainer      {usual:.3f} s   ({min(stalls[1:]):.3f} to {max(stalls[1:]):.3f}), then "
    yield f"                       {statistics.median(writes):.3f} s beside the training, synced and read back"
    yield f"its first save         {stalls[0]:.3f} s   (new memory: {held / 2**20:,.0f} MiB for the copy)"
    yield f"Hugging Face Trainer   {peer:.3f} s   ({min(theirs):.3f} to {max(theirs):.3f}), neither synced nor read"
    yield f"ratio                  {usual / peer:.3f} (goal: at most {GOAL}); of the first save {stalls[0] / peer:.3f}"


@contextmanager
def _cores(number: int) -> Iterator[None]:
    """Give this process, and those that it starts, so many cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[-number:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _ours(folder: Path, threads: int) -> tuple[list[float], list[float], int]:
    """Save after each update, once the write before has ended; return stalls, writes, bytes of the copy."""
    from state.contract.files import read
    from state.contract.request import RunRequest
    from trainer.engine.heartbeat import Heartbeat
    from trainer.engine.setup import open_session

    realm = Realm(folder / "realm")
    order = orders(realm.quest(rows=4 * NUM_SAVES)).quests[0]
    files = realm.run(orders(order), _config(), threads=threads)
    session = open_session(read(files.request, RunRequest), files, Heartbeat(files.status))
    for _ in range(NUM_SAVES):
        session.train_update(order)
        session.save()
    found = metrics(files, "checkpoint")
    held = session.saver.held_bytes
    return [one.stall_seconds or 0.0 for one in found], [one.write_seconds or 0.0 for one in found], held


def _theirs(folder: Path, threads: int) -> list[float]:
    config = folder / "config.json"
    config.write_bytes(msgspec.json.encode(_config()))
    peer = HERE / "peers" / "hf_saving.py"
    command = [sys.executable, str(peer), str(config), str(NUM_SAVES), str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    told = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, check=True
    )
    return [json.loads(line)["seconds"] for line in told.stdout.splitlines() if line.startswith(b'{"sec')]


def _config():
    return a_config(model=a_model(config=SHAPE), held_out_fraction=0.0, evaluate_every=0)
