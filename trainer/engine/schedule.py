"""The learning rate: a pure function of the update's number, so that a resume needs no scheduler state."""

import math

from state.contract.request import TrainingConfig


def rate_factor(update: int, training: TrainingConfig) -> float:
    """Return the share of the full rate for the update of this number, counted from 1.

    Rises linearly from 0 (before the first update) to 1 at the update `warmup_steps`. Then it stays, or falls
    until the update `schedule_updates` to `final_rate_ratio`, where it stays: along a line, or along half a
    cosine (Loshchilov and Hutter, arXiv 1608.03983, equation 5, without restarts).
    """
    warmup = training.warmup_steps
    if update < warmup:
        return update / warmup
    if training.schedule_updates is None or training.final_rate_ratio is None:
        return 1.0
    passed = min(1.0, (update - warmup) / (training.schedule_updates - warmup))
    left = (1 + math.cos(math.pi * passed)) / 2 if training.lr_scheduler == "cosine" else 1 - passed
    return training.final_rate_ratio + (1 - training.final_rate_ratio) * left
