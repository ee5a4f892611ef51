"""G1 to G4 on a GPU machine, in under ten minutes: prints a Markdown table with date and hardware.

    python tests/bench/gpu.py            needs torch >= 2.11 with CUDA, transformers >= 5.17; TRL for G1 and G2
    python tests/bench/gpu.py --smoke    the same code with a tiny model on the CPU: its figures mean nothing

Qwen3-0.6B by its config with random weights (speed and memory do not depend on them), every token trained. Ours as
the trainer runs it: as much at once as fits by its estimate, kernels that repeat; the peers without that handicap.
"""

import argparse
import contextlib
import gc
import io
import os
import platform
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

os.environ["HF_HUB_OFFLINE"] = "1"
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "peers"), str(HERE.parents[1])]

import torch
import transformers
from gpu_peers import Clock, Measured, hugging_face, trl
from peer_libraries import SFT_TRAINER, TRAINER, missing

from state.contract.memory_need import memory_need, shape_of
from state.contract.request import TrainingConfig
from trainer.data.documents import Document
from trainer.data.packing import num_trained_tokens, pack
from trainer.data.tensors import to_tensors
from trainer.engine.attention import use_documents, uses_rows
from trainer.engine.fitting import tokens_that_fit
from trainer.engine.measures import PEAK_FLOPS, model_flops
from trainer.engine.optimizer import build_optimizers
from trainer.engine.repeatable import use_repeatable_kernels
from trainer.engine.step import make_update

QWEN3_600M = {
    "hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8,
    "head_dim": 128, "intermediate_size": 3072, "tie_word_embeddings": True,
}  # fmt: skip
TINY = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
    "head_dim": 16, "intermediate_size": 64, "tie_word_embeddings": True,
}  # fmt: skip
PER_UPDATE = 16
"""Documents: the hero's batch_size 1 x gradient_accumulation 16."""
MFU_FORMULA_PEAK = 989e12
"""Of an H200 or H100 in bf16: what performance goals count in, where the device's own peak is not known."""


class Size(NamedTuple):
    """What is measured on: the real size, or the one that only shows that the code runs."""

    device: torch.device
    config: dict[str, Any]
    vocab_size: int
    mean_tokens: int
    long_tokens: int
    warm_up: int
    updates: int


class Row(NamedTuple):
    goal: str
    work: str
    found: str
    wanted: str


REAL = Size(torch.device("cuda", 0), QWEN3_600M, 151_936, 300, 2048, 3, 10)
SMOKE = Size(torch.device("cpu"), TINY, 300, 12, 32, 1, 2)


def main() -> int:
    """Print the table."""
    options = _options()
    size = SMOKE if options.smoke else REAL
    if size.device.type == "cuda" and not torch.cuda.is_available():
        sys.stderr.write("there is no CUDA device here; --smoke runs the same code on the CPU\n")
        return 1
    begun = time.monotonic()
    print(_heading(size), flush=True)
    print("| goal | work | measured | wanted |\n| --- | --- | --- | --- |", flush=True)
    for row in _rows(size, with_trl=not options.without_trl):
        print(f"| {' | '.join(row)} |", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s in all (under 600 wanted)")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--smoke", action="store_true", help="a tiny model on the CPU; the figures mean nothing"
    )
    parser.add_argument("--without-trl", action="store_true", help="leave G1 and G2 out")
    return parser.parse_args()


def _heading(size: Size) -> str:
    is_gpu = size.device.type == "cuda"
    hardware = (
        torch.cuda.get_device_name(size.device) if is_gpu else f"CPU {platform.machine()}, smoke test only"
    )
    kernel = "per-document SDPA" if uses_rows(size.device) else "varlen attention"
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {hardware}, {versions}, {kernel}, {size.updates} timed updates\n"


def _rows(size: Size, *, with_trl: bool) -> Iterator[Row]:
    """Yield what needs no peer first: a peer that fails costs no figure of ours."""
    short = _documents(size, size.mean_tokens)
    ours = _ours(size, short)
    yield _mfu(size)
    yield _estimate(size, ours)
    yield _repeats(size, short)
    yield _memory(size, short)
    yield from _beside_trl(size, short, ours) if with_trl else _left_out("left out by --without-trl")


def _beside_trl(size: Size, rows: list[list[int]], ours: Measured) -> Iterator[Row]:
    if (lacking := missing(SFT_TRAINER)) is not None:
        yield from _left_out(lacking)
        return
    same = {
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": PER_UPDATE,
        "gradient_checkpointing": True,
    }
    yield _faster("G1", "TRL with the hero's settings", ours, [_theirs(size, rows, trl, same)], "≥ 8 x")
    tuned = {
        "per_device_train_batch_size": PER_UPDATE,
        "gradient_accumulation_steps": 1,
        "gradient_checkpointing": False,
    }
    # Without filling the same documents stand in one row; without flash attention they see each other there, which
    # costs it nothing: a bound of what it could be, not what it should be trained with.
    packed = tuned | {"padding_free": True, "max_length": None}
    both = [_theirs(size, rows, trl, one) for one in (tuned, packed)]
    name = "TRL tuned (one micro-batch, no checkpointing, the faster of filled up and padding free)"
    yield _faster("G2", name, ours, both, "≥ 1.25 x")


def _faster(goal: str, name: str, ours: Measured, peers: Sequence[Measured], wanted: str) -> Row:
    peer = min(one.seconds for one in peers)
    found = f"{peer / ours.seconds:.2f} x ({ours.seconds * 1e3:.0f} ms beside {peer * 1e3:.0f} ms)"
    return Row(goal, f"beside {name}", found, wanted)


def _left_out(why: str) -> Iterator[Row]:
    yield Row("G1", "beside TRL with the hero's settings", f"not measured: {why}", "≥ 8 x")
    yield Row("G2", "beside TRL tuned", f"not measured: {why}", "≥ 1.25 x")


def _mfu(size: Size) -> Row:
    rows = _documents(size, size.long_tokens, is_even=True)
    measured, shape = _ours(size, rows), shape_of(size.config, size.vocab_size)
    assert shape is not None
    lengths = [len(row) for row in rows[:PER_UPDATE]]
    rate = model_flops(shape, lengths, sum(lengths) - len(lengths)) / measured.seconds
    is_gpu = size.device.type == "cuda"
    peak = PEAK_FLOPS.get(torch.cuda.get_device_name(size.device) if is_gpu else "", MFU_FORMULA_PEAK)
    found = f"{rate / peak:.3f} of {peak / 1e12:.0f} TFLOP/s, {sum(lengths) / measured.seconds:,.0f} tokens/s"
    return Row("G3", f"{size.long_tokens:,}-token documents", found, "≥ 0.45")


def _memory(size: Size, rows: list[list[int]]) -> Row:
    """Compare at equal tokens in a micro-batch, neither side computing layers twice."""
    if (lacking := missing(TRAINER)) is not None:
        return Row("G4", "peak memory beside HF Trainer", f"not measured: {lacking}", "≤ 0.6 x")
    settings = {"per_device_train_batch_size": PER_UPDATE, "gradient_accumulation_steps": 1}
    ours, peer = _ours(size, rows), _theirs(size, rows, hugging_face, settings)
    found = "not told on a CPU"
    if ours.peak_bytes is not None and peer.peak_bytes is not None:
        found = f"{ours.peak_bytes / peer.peak_bytes:.2f} x ({ours.peak_bytes / 1e9:.1f} of {peer.peak_bytes / 1e9:.1f} GB)"
    return Row("G4", "peak memory beside HF Trainer", found, "≤ 0.6 x")


def _estimate(size: Size, ours: Measured) -> Row:
    """Compare what the plan would say with what was taken; the longest update decides both."""
    shape, found = shape_of(size.config, size.vocab_size), "not told on a CPU"
    assert shape is not None
    rows = _documents(size, size.mean_tokens)
    starts = range(0, len(rows), PER_UPDATE)
    longest = max(sum(map(len, rows[start : start + PER_UPDATE])) for start in starts)
    if ours.peak_bytes is not None:
        need = memory_need(shape, _training(size), "cuda", tokens=longest, is_checkpointing=False).total_bytes
        found = f"{need / ours.peak_bytes:.2f} x ({need / 1e9:.1f} of {ours.peak_bytes / 1e9:.1f} GB)"
    return Row("memory", "the estimate beside our own peak", found, "0.9 to 1.2 x")


def _repeats(size: Size, rows: list[list[int]]) -> Row:
    """Make the same updates twice from the same weights: do they give the same bits?"""
    few = rows[: PER_UPDATE * 2]
    first, second = (_trained(size, few).state_dict() for _ in range(2))
    unlike = [name for name, tensor in first.items() if not torch.equal(tensor, second[name])]
    found = "the same bits" if not unlike else f"{len(unlike)} of {len(first)} tensors differ"
    return Row("exact", "two updates, made twice", found, "the same bits")


def _ours(size: Size, rows: list[list[int]]) -> Measured:
    clock = Clock(size.device, size.warm_up)
    _trained(size, rows, clock)
    _free(size.device)
    return clock.result()


def _trained(size: Size, rows: list[list[int]], clock: Clock | None = None) -> Any:
    """Return the model after an update for each PER_UPDATE documents."""
    use_repeatable_kernels(size.device)
    model, training = _model(size), _training(size)
    use_documents(model)
    optimizers = build_optimizers(model, training)
    at_once = tokens_that_fit(training, model, size.device, is_checkpointing=False)
    precision = "bf16" if size.device.type == "cuda" else "fp32"
    if clock is not None:
        clock.start()
    for update, start in enumerate(range(0, len(rows), PER_UPDATE), start=1):
        documents = [
            Document(row=row, ids=array("i", ids), spans=((0, len(ids)),))
            for row, ids in enumerate(rows[start : start + PER_UPDATE])
        ]
        batches = [to_tensors(flat, size.device) for flat in pack(documents, at_once)]
        make_update(model, optimizers, batches, num_trained_tokens(documents), training, precision, update)
        if clock is not None:
            clock.update_done()
    return model


def _theirs(
    size: Size, rows: list[list[int]], measure: Callable[..., Measured], settings: dict[str, Any]
) -> Measured:
    torch.use_deterministic_algorithms(False)  # theirs is the faster of the two
    clock = Clock(size.device, size.warm_up)
    with contextlib.redirect_stdout(io.StringIO()):
        model = _model(size)
        clock.start()
        found = measure(model, rows, {"max_steps": size.warm_up + size.updates, **settings}, clock)
    del model
    _free(size.device)
    return found


def _model(size: Size) -> Any:
    torch.manual_seed(0)
    config = transformers.Qwen3Config(vocab_size=size.vocab_size, max_position_embeddings=4096, **size.config)
    return transformers.Qwen3ForCausalLM(config).float().to(size.device).train()


def _documents(size: Size, tokens: int, *, is_even: bool = False) -> list[list[int]]:
    """Return documents for every update: of one length, or spread evenly from a third to five thirds of it."""
    generator = torch.Generator().manual_seed(1)
    count = PER_UPDATE * (size.warm_up + size.updates)
    shares = torch.ones(count) if is_even else torch.rand(count, generator=generator) * 4 / 3 + 1 / 3
    lengths: Sequence[int] = (shares * tokens).int().tolist()
    return [torch.randint(0, size.vocab_size, (n,), generator=generator).tolist() for n in lengths]


def _training(size: Size) -> TrainingConfig:
    return TrainingConfig(
        precision="auto", batch_size=1, gradient_accumulation=PER_UPDATE, optimizer="adamw", learning_rate=1e-5,
        lr_scheduler="constant", warmup_steps=0, max_length=size.long_tokens, weight_decay=0.0, adam_beta1=0.9,
        adam_beta2=0.999, adam_epsilon=1e-8, muon_learning_rate=None, muon_momentum=0.95, clip=1.0, seed=0,
        gradient_checkpointing=False,
    )  # fmt: skip


def _free(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


if __name__ == "__main__":
    sys.exit(main())
