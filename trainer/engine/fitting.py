"""What fits into the device's memory, by the estimate: are layers computed twice, how much goes at once.

No part of what is learnt. What was decided is told in the metrics and in `effective.json`; how much goes
through at once is saved with the weights, so that a resumed run packs alike.
"""

from typing import Any, Literal

import torch

from state.contract.memory_need import (
    LIBRARIES,
    LIBRARIES_OF_CUDA,
    needs_checkpointing,
    roomy_tokens,
    shape_of,
    usable_of,
)
from state.contract.run_config import TrainingConfig
from state.host_memory import host_memory
from trainer.engine.failures import EnvironmentFailure


def usable_bytes(device: torch.device) -> int:
    """Return the memory that a run plans with: of all there is, not of what is free, so always the same.

    Raises:
        EnvironmentFailure: nothing here tells how much memory there is.
    """
    if device.type == "cuda":
        return usable_of(torch.cuda.get_device_properties(device).total_memory)
    found = host_memory()
    if found is None:
        raise EnvironmentFailure("/proc/meminfo does not tell how much memory there is")
    return usable_of(found.total_bytes)


def decide_checkpointing(training: TrainingConfig, model: Any, device: torch.device) -> bool:
    """Return whether layers are computed twice: as the settings say; of `auto`, as the estimate says."""
    if training.gradient_checkpointing != "auto":
        return training.gradient_checkpointing
    shape = shape_of(model.config.to_dict(), model.config.vocab_size)
    if shape is None:
        return False
    return needs_checkpointing(shape, training, _kind(device), usable_bytes(device), _libraries())


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
        libraries_bytes=_libraries(),
    )


def _libraries() -> int:
    """Return what torch's build takes, as it was measured once: a look at this process would now and then
    make a resumed run pack otherwise than the one before it."""
    return LIBRARIES + (LIBRARIES_OF_CUDA if torch.version.cuda else 0)


def _kind(device: torch.device) -> Literal["cpu", "cuda"]:
    return "cuda" if device.type == "cuda" else "cpu"
