"""G10: a step of our Muon and of torch.optim.Muon on the matrices of Qwen3-0.6B, from the same state.

On a GPU at full width. On a CPU at a sixteenth of it (a full step is 11 TFLOP): there torch's bfloat16 products
are emulated where the processor has none, and ours are float32: then speed and 1e-5 are not met together, for
between the two lies the rounding of bfloat16, which the iteration magnifies (torch's own bfloat16 with AMX, AVX-512
and AVX2 is 9e-5 apart from itself). Where it has AMX both are bfloat16. Each precision is shown beside torch's Muon
in that very precision, too: torch's own code with its cast to bfloat16 taken out computes in float32.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

LAYERS = 28
WIDTH = 1024
SHAPES = ((2, 1), (1, 1), (1, 1), (1, 2), (3, 1), (3, 1), (1, 3))
"""q, k, v, o, gate, up, down in multiples of the hidden width."""
SETTINGS = {"lr": 1e-3, "weight_decay": 0.1, "momentum": 0.95, "adjust_lr_fn": "match_rms_adamw"}
ROUNDS = 3
VIEWS = frozenset({"t", "transpose", "view", "detach", "unbind", "select", "_unsafe_view", "alias"})


def measure(_folder: Path) -> Iterator[str]:
    """Yield the figures."""
    import torch

    from trainer.engine.device import has_bf16_products
    from trainer.engine.muon import ShapedMuon

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    width = WIDTH if device.type == "cuda" else WIDTH // 16
    chosen = torch.bfloat16 if has_bf16_products(device) else torch.float32
    peer = _Stepper(torch, device, width, torch.optim.Muon)
    exact_peer = _Stepper(torch, device, width, torch.optim.Muon, around=_without_the_cast)
    same = _Stepper(torch, device, width, ShapedMuon, product_dtype=torch.bfloat16)
    exact = _Stepper(torch, device, width, ShapedMuon, product_dtype=torch.float32)
    yield f"{len(peer.weights)} matrices, hidden width {width}, {device}, {torch.get_num_threads()} threads"
    for stepper in (peer, exact_peer, same, exact):
        stepper.step()
    as_is = (same if chosen == torch.bfloat16 else exact, peer)
    pairs = {"both in bf16": (same, peer), "both in float32": (exact, exact_peer)}
    pairs[f"as each is ({str(chosen).removeprefix('torch.')}, bfloat16)"] = as_is
    apart = {name: _apart(*pair) for name, pair in pairs.items()}
    yield f"bf16 and float32 of torch itself: {_apart(peer, exact_peer):.1e} apart, by the rounding of bf16"
    yield f"kernels a step: torch {peer.kernels()}, ours {same.kernels()}"
    times = {one: [] for one in (peer, exact_peer, same, exact)}
    for _ in range(ROUNDS):
        for one, spent in times.items():  # in turn, so that a busy machine disturbs all alike
            spent.append(one.timed())
    for name, (ours, its) in pairs.items():
        ratios = [mine / other for mine, other in zip(times[ours], times[its], strict=True)]
        yield (
            f"a step, {name}: {median(times[ours]):.3f} s, torch's {median(times[its]):.3f} s: "
            f"{median(ratios):.2f}x (goal 0.5x), {min(ratios):.2f} to {max(ratios):.2f} in {ROUNDS} rounds; "
            f"{apart[name]:.1e} of the weights' norm apart (bound: 1e-5)"
        )


@contextmanager
def _without_the_cast(torch: Any) -> Iterator[None]:
    """Let torch's Muon compute in the precision of its weights."""
    cast, torch.Tensor.bfloat16 = torch.Tensor.bfloat16, torch.Tensor.clone
    try:
        yield
    finally:
        torch.Tensor.bfloat16 = cast


@contextmanager
def _as_it_is(_torch: Any) -> Iterator[None]:
    yield


class _Stepper:
    """Weights and an optimizer of their own; every one begins alike."""

    def __init__(
        self,
        torch: Any,
        device: Any,
        width: int,
        make: Callable[..., Any],
        *,
        around: Callable[[Any], Any] = _as_it_is,
        **more: Any,
    ) -> None:
        generator = torch.Generator().manual_seed(0)
        self._torch, self._around = torch, around
        self.weights = []
        for _ in range(LAYERS):
            for rows, columns in SHAPES:
                weight = torch.randn(rows * width, columns * width, generator=generator) * 0.02
                self.weights.append(torch.nn.Parameter(weight.to(device)))
        for weight in self.weights:
            weight.grad = torch.randn(weight.shape, generator=generator).to(device)
        self.optimizer = make(self.weights, **SETTINGS, **more)

    def step(self) -> None:
        with self._around(self._torch):
            self.optimizer.step()
        if self._torch.cuda.is_available():
            self._torch.cuda.synchronize()

    def timed(self) -> float:
        """Return the seconds of one step: of the processor on a CPU, of the clock on a GPU."""
        now = time.perf_counter if self._torch.cuda.is_available() else time.process_time
        started = now()
        self.step()
        return now() - started

    def kernels(self) -> int:
        """Return how many operations a step starts, views apart."""
        from torch.utils._python_dispatch import TorchDispatchMode

        counted: Counter[str] = Counter()

        class Counting(TorchDispatchMode):
            def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                counted[op.overloadpacket.__name__] += 1
                return op(*args, **(kwargs or {}))

        with Counting():
            self.step()
        return sum(count for name, count in counted.items() if name not in VIEWS)


def _apart(one: _Stepper, other: _Stepper) -> float:
    """Return the largest relative difference of a matrix."""
    pairs = zip(one.weights, other.weights, strict=True)
    return max(float((mine - its).detach().norm() / its.detach().norm()) for mine, its in pairs)
