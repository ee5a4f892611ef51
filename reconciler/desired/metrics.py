"""The metrics of a checkpoint by name, and which way each of them gets better."""

from typing import Literal

Direction = Literal["lower", "higher"]

_LOWER = frozenset({"train_loss", "val_loss", "perplexity"})
_HIGHER = frozenset({"accuracy"})


def direction_of(metric: str) -> Direction | None:
    """Return which values of a metric are better; None where its name does not say.

    `accuracy/bin` is the accuracy in one skill; its direction is that of `accuracy`.
    """
    family = metric.partition("/")[0]
    if family in _LOWER:
        return "lower"
    return "higher" if family in _HIGHER else None
