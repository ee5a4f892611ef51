"""The tiny hero's updates on one core, fp32, beside a Hugging Face Trainer with its defaults: speed and losses."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from first_update import request_of_first_run
from peer_libraries import TRAINER, missing
from realms import Realm, cpu_seconds

from state.contract.orders import Orders
from state.contract.request import RunRequest
from state.contract.run_config import RunConfig, config_hash
from trainer.data.order import Position, next_update
from trainer.data.packing import pack
from trainer.data.quests import load_quest
from trainer.engine.setup import requested_vocabulary

WARM_UP, UPDATES, REPEAT = 10, 50, 2
PEER = Path(__file__).resolve().parent / "peers" / "hf_training.py"
GOAL = 1.7


class Told(NamedTuple):
    seconds: float
    """From the end of update WARM_UP to the end of update UPDATES."""
    cpu_seconds: float
    """Of the processor, in that time: what counts where the machine has other work."""
    losses: list[float]


def measure(folder: Path) -> Iterator[str]:
    if (why := missing(TRAINER)) is not None:
        yield f"not measured: {why}"
        return
    request = first_request(folder)
    documents = folder / "documents.jsonl"
    tokens, fill = write_documents(request, documents, UPDATES)
    ours, theirs = [], []
    for number in range(REPEAT):
        ours.append(_ours(request, folder / f"run-{number}", UPDATES))
        theirs.append(_theirs(request, documents, folder / f"peer-{number}", PEER, UPDATES))
    mine, peer = (statistics.median(told.seconds for told in side) for side in (ours, theirs))
    spread = [
        f"{tokens / max(t.seconds for t in s):,.0f} to {tokens / min(t.seconds for t in s):,.0f}"
        for s in (ours, theirs)
    ]
    apart = max(abs(a - b) for a, b in zip(ours[0].losses, theirs[0].losses, strict=True))
    yield f"python -m trainer      {tokens / mine:,.0f} tokens/s   ({spread[0]}), fill {fill:.3f}"
    yield f"Hugging Face Trainer   {tokens / peer:,.0f} tokens/s   ({spread[1]})"
    busy, peer_busy = (statistics.median(told.cpu_seconds for told in side) for side in (ours, theirs))
    yield f"ratio                  {peer / mine:.2f}, of CPU seconds {peer_busy / busy:.2f} (goal: at least {GOAL})"
    yield f"losses                 at most {apart:.1e} apart over {UPDATES} updates (bound: 1e-5)"


def first_request(folder: Path) -> Path:
    """Return the demo's first request without what the peer has not: warm-up, measuring and saving between."""
    path = request_of_first_run(Realm(folder))
    asked = msgspec.json.decode(path.read_bytes(), type=RunRequest)
    config = _plain(asked.config)
    changed = msgspec.structs.replace(asked, config=config, config_hash=config_hash(config), threads=1)
    path.chmod(0o600)
    path.write_bytes(msgspec.json.encode(changed))
    return path


def _plain(config: RunConfig) -> RunConfig:
    replace = msgspec.structs.replace
    return replace(
        config,
        training=replace(
            config.training,
            precision="fp32",
            learning_rate=1e-3,  # the demo's 6e-3 makes of a rounding a hundredfold difference in the loss
            warmup_steps=0,
            lr_scheduler="constant",
            schedule_updates=None,
            final_rate_ratio=None,
        ),
        evaluation=replace(config.evaluation, every_updates=0, held_out_fraction=0.0),
        checkpoint=replace(config.checkpoint, every_updates=0, every_minutes=0.0),
    )


def losses_beside(
    request: Path, documents: Path, folder: Path, peer: Path, updates: int
) -> tuple[list[float], list[float]]:
    """Return the losses of each update: ours, and those of the peer's script."""
    ours = _ours(request, folder / "ours", updates)
    return ours.losses[:updates], _theirs(request, documents, folder / "theirs", peer, updates).losses


def write_documents(path: Path, documents: Path, updates: int) -> tuple[int, float]:
    """Write what our updates train, in order; return the timed tokens, and how full our micro-batches are."""
    request = msgspec.json.decode(path.read_bytes(), type=RunRequest)
    order = msgspec.json.decode((path.parent / "orders.json").read_bytes(), type=Orders).quests[0]
    vocabulary, training = requested_vocabulary(request), request.config.training
    quest = load_quest(Path(order.path), order.shape, vocabulary.renderer, held_out_fraction=0.0)
    at, lines, tokens, room = Position(), [], 0, 0
    for update in range(updates):
        found = next_update(
            seed=training.seed, quest_digest=order.digest, num_rows=len(quest.training), epochs=99, at=at,
            num_documents=training.batch_size * training.gradient_accumulation,
        )  # fmt: skip
        at, chosen = found.after, [quest.training[row] for row in found.rows]
        lines += [json.dumps({"input_ids": list(d.ids), "labels": d.labels()}) for d in chosen]
        if update >= WARM_UP:
            tokens += sum(map(len, chosen))
            room += sum(
                sum(batch.lengths) for batch in pack(chosen, training.batch_size * training.max_length)
            )
    documents.write_text("\n".join(lines) + "\n")
    return tokens, tokens / room


def _ours(request: Path, run: Path, updates: int) -> Told:
    run.mkdir()
    asked = json.loads(request.read_text())
    (run / "checkpoints").mkdir()
    asked |= {"checkpoints_dir": str(run / "checkpoints"), "trainer_lock": str(run / "lock")}
    (run / "request.json").write_text(json.dumps(asked))
    orders = json.loads((request.parent / "orders.json").read_text())
    orders["quests"] = [quest | {"epochs": 99} for quest in orders["quests"][:1]]
    (run / "orders.json").write_text(json.dumps(orders | {"goal_updates": updates}))
    command = [sys.executable, "-m", "trainer", "run", "--request", str(run / "request.json")]
    with _on_one_core(command, stdout=subprocess.DEVNULL, env={"REALM_RUN_COOKIE": "bench"}) as process:
        moments = _moments(lambda: _losses(run / "metrics.jsonl"), process, updates)
    (begun, busy), (ended, busy_then) = moments[WARM_UP - 1], moments[-1]
    return Told(ended - begun, busy_then - busy, _losses(run / "metrics.jsonl"))


def _moments(
    losses: Callable[[], list[float]], process: subprocess.Popen[str], updates: int
) -> list[tuple[float, float]]:
    """Return when each update was seen to end, and what the process had taken of the processor by then."""
    moments: list[tuple[float, float]] = []
    while len(moments) < updates:
        assert process.poll() in (None, 0), "the trainer failed"
        seen = len(losses())
        if seen > len(moments):
            moments += [(time.perf_counter(), cpu_seconds(process.pid))] * (seen - len(moments))
        time.sleep(0.005)
    return moments[:updates]


def _losses(metrics: Path) -> list[float]:
    lines = metrics.read_text().splitlines() if metrics.exists() else []
    records = [json.loads(line) for line in lines if line.endswith("}")]
    return [record["loss"] for record in records if record["kind"] == "update"]


def _theirs(request: Path, documents: Path, run: Path, peer: Path, updates: int) -> Told:
    script = [sys.executable, str(peer), str(request), str(documents), str(updates)]
    command = [sys.executable, "-m", "trainer", "watch", "--run", str(run), "--", *script]
    with _on_one_core(command, env={}) as process:
        code = process.wait()
    assert code == 0, (run / "exit.json").read_text()
    said = (run / "training.log").read_text().splitlines()
    told = [json.loads(line) for line in said if line.startswith('{"at"')][:updates]
    first, last = told[WARM_UP - 1], told[-1]
    return Told(last["at"] - first["at"], last["cpu"] - first["cpu"], [record["loss"] for record in told])


def _on_one_core(command: list[str], *, env: dict[str, str], **options: object) -> subprocess.Popen[str]:
    """Start a process that may use one core, the last of ours; it inherits that from us."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(mine)})
    try:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **env}
        return subprocess.Popen(command, text=True, stderr=subprocess.DEVNULL, env=environment, **options)
    finally:
        os.sched_setaffinity(0, mine)
