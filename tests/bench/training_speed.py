"""The tiny hero's updates on one core beside a Hugging Face Trainer with its defaults: speed and losses.

The demo's hero (128 wide, two layers) in float32, as the peer's defaults are and as `precision: auto` is for a
model of this width; and one of 256 and four layers, from which width on `auto` is bfloat16 where the processor
multiplies that (AMX). Both heroes are measured in both. In the updates that count oneDNN still prepares some
products of bfloat16: later ones are faster.

In bfloat16 the demo's hero has not the goal of 3, and `auto` does not choose it there: a third of its time is
products, the rest is passes over memory between them, which only fused kernels save, and torch has those on a
CPU only when it compiles.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

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
HEROES: dict[str, dict[str, int]] = {
    "128 wide, 2 layers": {},
    "256 wide, 4 layers": {
        "hidden_size": 256, "num_hidden_layers": 4, "head_dim": 64, "intermediate_size": 768,
    },
}  # fmt: skip
"""Tiny heroes, and what their configs have other than the demo's."""
GOALS = {"fp32": 1.7, "bf16": 3.0}
BOUNDS = {"fp32": "bound: 1e-05", "bf16": "the peer is in float32; beside one in bf16: gsm8k_losses"}
"""How far apart losses may be, in nats."""


class Told(NamedTuple):
    seconds: float
    """From the end of update WARM_UP to the end of update UPDATES."""
    cpu_seconds: float
    """Of the processor, in that time: what counts where the machine has other work."""
    losses: list[float]
    waiting: tuple[float, float] = (0.0, 0.0)
    """Share of an update's time in which its rows were not ready, of ours alone: in the middle, and of all."""


def measure(folder: Path) -> Iterator[str]:
    if (why := missing(TRAINER)) is not None:
        yield f"not measured: {why}"
        return
    for number, (name, changes) in enumerate(HEROES.items()):
        (place := folder / str(number)).mkdir()
        yield f"{name}:"
        yield from _measure_hero(place, first_request(place, changes))


def _measure_hero(folder: Path, request: Path) -> Iterator[str]:
    documents = folder / "documents.jsonl"
    tokens, fill = write_documents(request, documents, UPDATES)
    ours: dict[str, list[Told]] = {precision: [] for precision in _precisions()}
    theirs = []
    for number in range(REPEAT):
        for precision, runs in ours.items():
            runs.append(_ours(request, folder / f"{precision}-{number}", UPDATES, precision))
        theirs.append(_theirs(request, documents, folder / f"peer-{number}", PEER, UPDATES))
    yield f"Hugging Face Trainer     {_speed(theirs, tokens)}"
    for precision, runs in ours.items():
        yield f"python -m trainer, {precision}  {_speed(runs, tokens)}, fill {fill:.3f}"
        middle, whole = (max(shares) for shares in zip(*(told.waiting for told in runs), strict=True))
        yield f"  waits for rows         {middle:.2%} of the middle update (goal: under 1 %), {whole:.2%} of all"
        yield f"  ratio                  {_ratios(runs, theirs)} (goal: at least {GOALS[precision]})"
        apart = max(abs(a - b) for a, b in zip(runs[0].losses, theirs[0].losses, strict=True))
        yield f"  losses                 at most {apart:.1e} apart over {UPDATES} updates ({BOUNDS[precision]})"


def _precisions() -> list[str]:
    import torch

    from trainer.engine.device import has_bf16_products

    return ["fp32", "bf16"] if has_bf16_products(torch.device("cpu")) else ["fp32"]


def _speed(runs: list[Told], tokens: int) -> str:
    middle, seconds = statistics.median(told.seconds for told in runs), [told.seconds for told in runs]
    return f"{tokens / middle:,.0f} tokens/s   ({tokens / max(seconds):,.0f} to {tokens / min(seconds):,.0f})"


def _ratios(runs: list[Told], theirs: list[Told]) -> str:
    mine, peer = (statistics.median(told.seconds for told in side) for side in (runs, theirs))
    busy, peer_busy = (statistics.median(told.cpu_seconds for told in side) for side in (runs, theirs))
    return f"{peer / mine:.2f}, of CPU seconds {peer_busy / busy:.2f}"


def first_request(folder: Path, changes: Mapping[str, int] = MappingProxyType({})) -> Path:
    """Return the demo's first request without what the peer has not: warm-up, measuring and saving between.

    `changes`: what the model's config has other than the demo's.
    """
    path = request_of_first_run(Realm(folder))
    asked = msgspec.json.decode(path.read_bytes(), type=RunRequest)
    config = _plain(asked.config, changes)
    changed = msgspec.structs.replace(asked, config=config, config_hash=config_hash(config), threads=1)
    path.chmod(0o600)
    path.write_bytes(msgspec.json.encode(changed))
    return path


def _plain(config: RunConfig, changes: Mapping[str, int]) -> RunConfig:
    replace = msgspec.structs.replace
    return replace(
        config,
        model=replace(config.model, config={**config.model.config, **changes}),
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


def _ours(request: Path, run: Path, updates: int, precision: str | None = None) -> Told:
    """Return what the trainer told, in another precision than the request's where one is named."""
    run.mkdir()
    asked = json.loads(request.read_text())
    if precision is not None:
        asked["config"]["training"]["precision"] = precision
        asked["config_hash"] = config_hash(msgspec.convert(asked["config"], RunConfig))
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
    made = _updates(run / "metrics.jsonl")[WARM_UP:updates]
    waited, took = ([one[key] for one in made] for key in ("data_seconds", "seconds"))
    waiting = statistics.median(waited) / statistics.median(took), sum(waited) / sum(took)
    return Told(ended - begun, busy_then - busy, _losses(run / "metrics.jsonl"), waiting)


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
    return [record["loss"] for record in _updates(metrics)]


def _updates(metrics: Path) -> list[dict[str, Any]]:
    lines = metrics.read_text().splitlines() if metrics.exists() else []
    records = [json.loads(line) for line in lines if line.endswith("}")]
    return [record for record in records if record["kind"] == "update"]


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
