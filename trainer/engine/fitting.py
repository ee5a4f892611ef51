"""What fits into the device's memory, by the estimate: are layers computed twice, how much goes at once.

No part of what is learnt. What was decided is told in the metrics and in `effective.json`; how much goes
through at once is saved with the weights, so that a resumed run packs alike.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch

from state.contract.memory_need import needs_checkpointing, roomy_tokens, shape_of
from state.contract.run_config import TrainingConfig

_USABLE = 0.9
"""Share of a device's memory to plan with: contexts of drivers, working space and fragments take some."""
_GROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Of this process's group, by the kernel's second and first interface (cgroups(7))."""


def usable_bytes(device: torch.device) -> int:
    """Return the memory that a run plans with: of all there is, not of what is free, so always the same."""
    if device.type == "cuda":
        return int(_USABLE * torch.cuda.get_device_properties(device).total_memory)
    return int(_USABLE * min(_host_bytes(), *_group_bytes()))


def decide_checkpointing(training: TrainingConfig, model: Any, device: torch.device) -> bool:
    """Return whether layers are computed twice: as the settings say; of `auto`, as the estimate says."""
    if training.gradient_checkpointing != "auto":
        return training.gradient_checkpointing
    shape = shape_of(model.config.to_dict(), model.config.vocab_size)
    if shape is None:
        return False
    return needs_checkpointing(shape, training, _kind(device), usable_bytes(device))


def tokens_that_fit(
    training: TrainingConfig, model: Any, device: torch.device, *, is_checkpointing: bool
) -> int:
    """Return how many tokens go through the model at once.

    On a CPU what the settings grant, on a GPU all of an update; less where so much does not fit, and never
    less than one document.
    """
    granted = training.batch_size * training.max_length
    shape = shape_of(model.config.to_dict(), model.config.vocab_size)
    if shape is None:
        return granted
    wished = granted * (training.gradient_accumulation if device.type == "cuda" else 1)
    return roomy_tokens(
        shape,
        training,
        _kind(device),
        usable_bytes(device),
        wished=wished,
        is_checkpointing=is_checkpointing,
    )


def _kind(device: torch.device) -> Literal["cpu", "cuda"]:
    return "cuda" if device.type == "cuda" else "cpu"


def _host_bytes() -> int:
    """Return all of the host's memory (proc_meminfo(5))."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    (total,) = (line.split()[1] for line in lines if line.startswith("MemTotal:"))
    return int(total) * 1024


def _group_bytes() -> Iterator[int]:
    """Yield what this process's group may take, where it may not take everything."""
    for place in _GROUP_LIMITS:
        try:
            limit = Path(place).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if limit.isdigit():
            yield int(limit)
