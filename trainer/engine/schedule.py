"""The learning rate: a pure function of the update's number, so that a resume needs no scheduler state."""

import math

import msgspec

from state.contract.request import DecayBranch, TrainingConfig


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


def decay_factor(update: int, decay: DecayBranch) -> float:
    """Return the share of the rate that is left at this update of a branch for a release.

    It falls from 1, at the checkpoint that the branch began from, to `final_ratio` at its last update, as
    1 - sqrt(share of the branch that is made): quickly first, then slowly (Hägele et al., arXiv 2405.18392,
    section 3, where this shape is the best of those compared).
    """
    made = min(1.0, max(0.0, (update - decay.start_step) / decay.updates))
    return decay.final_ratio + (1 - decay.final_ratio) * (1 - math.sqrt(made))


def with_falling_rates(training: TrainingConfig, decay: DecayBranch | None, update: int) -> TrainingConfig:
    """Return the settings with the rates of this update of a branch; without a branch as they are."""
    if decay is None:
        return training
    factor, own = decay_factor(update, decay), training.muon_learning_rate
    return msgspec.structs.replace(
        training,
        learning_rate=factor * training.learning_rate,
        muon_learning_rate=None if own is None else factor * own,
    )
