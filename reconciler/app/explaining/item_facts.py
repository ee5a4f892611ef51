"""What a record of `get` says, one line a field, in words of people."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from reconciler.app.looking.get import listing_of
from reconciler.app.looking.items import Item
from reconciler.app.planning.look import View
from state.amounts import moment, size

_PLAIN_NAMES = {
    "size_b": "billions of parameters",
    "num_campaigns": "campaigns",
    "num_checkpoints": "checkpoints",
    "checkpoint_bytes": "size of checkpoints",
    "size_bytes": "size",
    "num_quests": "quests",
    "max_level": "highest level",
    "is_for": "for",
    "val_loss": "held-out loss",
    "measured_on": "measured on",
    "train_loss": "loss",
    "max_invalid_fraction": "share that may be invalid",
    "training_file": "trained last",
    "timestamp": "saved",
    "skill_name": "skill examined",
    "skill_level": "highest level examined",
    "skill_metrics": "accuracy by skill",
    "has_optimizer": "optimizer state",
    "total_examples_trained": "examples trained",
    "verified_at": "read again",
    "locations": "copies elsewhere",
}
"""Fields whose names are not what a person would say."""
_TOLD_ELSEWHERE = frozenset(
    {"id", "spec", "statistics", "message", "blocked", "source", "goal_updates", "demoted"}
)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One line about the thing."""

    name: str
    text: str


def listed_facts_of(many: str) -> Callable[[View, str], Iterator[Fact]]:
    """Return what yields the facts that `get` has of a thing of this kind."""

    def facts(view: View, name: str) -> Iterator[Fact]:
        for item in listing_of(view, many, name).items:
            yield from item_facts(item)

    return facts


def item_facts(item: Item, without: frozenset[str] = frozenset()) -> Iterator[Fact]:
    """Yield what a record says; what is empty, and what is told elsewhere, is left out."""
    for field in item.__struct_fields__:
        value = getattr(item, field)
        if field in _TOLD_ELSEWHERE | without or value in (None, "", (), {}, False):
            continue
        name = _PLAIN_NAMES.get(field) or field.removeprefix("is_").replace("_", " ")
        yield Fact(name=name, text=_said(field, value))


def _said(field: str, value: Any) -> str:
    match value:
        case True:
            return "yes"
        case tuple():
            return ", ".join(map(str, value))
        case dict():
            return "; ".join(f"{str(key).replace('_', ' ')} {_said(key, one)}" for key, one in value.items())
        case int() | float():
            return _amount(field, value)
        case _:
            return moment(value) if field == "timestamp" or field.endswith("_at") else str(value)


def _amount(field: str, value: float) -> str:
    if field == "pid":
        return str(value)
    if isinstance(value, int):
        return size(value) if field.endswith("_bytes") else f"{value:,}"
    if field.startswith("accuracy"):
        return f"{value:.0%}"
    return f"{value:.3f}" if field.endswith("loss") else f"{value:.4g}"
