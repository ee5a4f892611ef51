"""The metrics of a checkpoint by name, and which way each of them gets better."""

from typing import Literal

from reconciler.desired.mistakes import nearest_name

Direction = Literal["lower", "higher"]

_LOWER = frozenset({"train_loss", "val_loss", "perplexity"})
_HIGHER = frozenset({"accuracy"})
_OF_HELD_OUT_ROWS = frozenset({"val_loss", "perplexity"})
KNOWN_METRICS = ("train_loss", "val_loss", "perplexity", "accuracy/<skill>")
"""The metrics that training and examinations write, as people are shown them."""


def direction_of(metric: str) -> Direction | None:
    """Return which values of a metric are better; None where its name does not say.

    `accuracy/bin` is the accuracy in one skill; its direction is that of `accuracy`.
    """
    family = metric.partition("/")[0]
    if family in _LOWER:
        return "lower"
    return "higher" if family in _HIGHER else None


def is_of_held_out_rows(metric: str) -> bool:
    """Do two values of a metric say something beside each other only on the same held-out rows?"""
    return metric in _OF_HELD_OUT_ROWS


def nearest_metric(metric: str) -> str | None:
    """Return the known metric that was probably meant, of the same skill; None when none is near."""
    family, slash, skill = metric.partition("/")
    near = nearest_name(family, sorted(_LOWER | _HIGHER))
    return f"{near}{slash}{skill}" if near else None
