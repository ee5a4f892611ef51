"""The loss guard: is an update's loss a jump, and were too many left out? Pure.

A loss is compared with the latest ones of the same quest, by median and median absolute deviation: neither is
moved by a few wild values. Where a quest begins or is gone back to, and where the guard was off, it learns
anew what is usual. Until then a jump is a loss that is worse than guessing, and worse than the quest's first
one, which the model had as it came: what is ruined at once must not become the usual. What the guard knows is
saved with the weights, so that a resumed run judges alike.

What a jump among those first updates ruins only so far goes unseen. No rule that was tried is better: on 378
sound quests of 28 updates by a tiny model (one to four documents each, alike, mixed, with noise among them),
and on 144 that rates of 0.03 to 1 spoilt, of which this one sees 84:

    judged by                                                       sound ones blamed   spoilt ones seen
    all before, as later, from the 9th update on                                  +14                 +0
    the worst of the latest 8, half the way to guessing                           +52                 +8
    their median, two thirds of the way, by six updates in a row                   +0                 +0
"""

import math
from collections.abc import Sequence
from statistics import median

import msgspec

from state.contract.run_config import LossGuardConfig, RunConfig
from trainer.checkpoints.state import GuardMemory

_DEVIATION_OF_NORMAL = 1.4826
"""Standard deviation of a normal distribution, in median absolute deviations."""

_LEAST_NATS_OF_RUIN = 1.0
"""A model that knows nothing scatters around the loss of guessing."""


def guard_of(config: RunConfig) -> LossGuardConfig:
    """Return how a config wants the loss guarded."""
    return config.loss_guard or LossGuardConfig()


def highest_usual(losses: Sequence[float], config: LossGuardConfig, vocab_size: int) -> float | None:
    """Return the loss above which an update is left out, in nats; None while nothing is known.

    Median + deviations x 1.4826 x MAD, and at least least_nats above the median. While there are too few for
    that: least_nats above the first of them and above ln(vocab_size), the loss of guessing evenly.
    """
    if not config.enabled or not losses:
        return None
    if len(losses) < min(config.warm_up, config.window):
        return max(losses[0], math.log(vocab_size)) + max(config.least_nats, _LEAST_NATS_OF_RUIN)
    usual = median(losses)
    deviation = _DEVIATION_OF_NORMAL * median(abs(loss - usual) for loss in losses)
    return usual + max(config.deviations * deviation, config.least_nats)


def may_skip(memory: GuardMemory, update: int, config: LossGuardConfig) -> bool:
    """May this update be left out, too?"""
    return len(_recent(memory, update, config)) < config.skips


def usual_of(memory: GuardMemory, quest: str) -> tuple[float, ...]:
    """Return the latest losses of a quest; none when another was trained in between."""
    return memory.losses if memory.quest == quest else ()


def after_loss(memory: GuardMemory, quest: str, loss: float, config: LossGuardConfig) -> GuardMemory:
    """Return the memory once an update of this loss was made."""
    if not config.enabled:
        return msgspec.structs.replace(memory, quest=None, losses=())
    losses = (*usual_of(memory, quest), loss)[-config.window :]
    return msgspec.structs.replace(memory, quest=quest, losses=losses)


def after_skip(memory: GuardMemory, update: int, config: LossGuardConfig) -> GuardMemory:
    """Return the memory once this update was left out."""
    return msgspec.structs.replace(memory, skipped=(*_recent(memory, update, config), update))


def _recent(memory: GuardMemory, update: int, config: LossGuardConfig) -> tuple[int, ...]:
    return tuple(one for one in memory.skipped if one > update - config.per_updates)


def healthy_until(memory: GuardMemory, update: int, config: LossGuardConfig) -> int:
    """Return the last step before the first of the latest jumps, of which this update is the last."""
    return min((*_recent(memory, update, config), update)) - 1
