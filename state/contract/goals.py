"""Goals: how far a campaign is to come. The first one reached ends the run; reconciler and trainer ask here.

All counts are of the weights' whole history, as the step is: a campaign that began from a checkpoint goes on
counting from there.
"""

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from state.amounts import count
from state.contract.manifest import QuestCursor
from state.ids import quest_of


class Goals(msgspec.Struct, frozen=True, kw_only=True):
    """None of them: train until the quests are done."""

    updates: int | None = None
    """Optimizer updates."""
    tokens: int | None = None
    """Tokens that went through the model in training."""
    quests: int | None = None
    """Quests that the campaign has learnt to the end."""

    def __bool__(self) -> bool:
        return self != Goals()


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How far a campaign has come, in the terms of its goals."""

    updates: int = 0
    tokens: int = 0
    quests: int = 0


def goal_reached(goals: Goals, so_far: Reached) -> str | None:
    """Return the first goal that is reached, as `made 50 of 50 updates`; None while there is none."""
    for name, verb in (("updates", "made"), ("tokens", "learnt"), ("quests", "finished")):
        wanted, found = getattr(goals, name), getattr(so_far, name)
        if wanted is not None and found >= wanted:
            return f"{verb} {found} of {wanted} {name}"
    return None


class Ordered(Protocol):
    """The orders of a run, or what plans them."""

    @property
    def goal_updates(self) -> int | None: ...
    @property
    def goal_tokens(self) -> int | None: ...
    @property
    def goal_quests(self) -> int | None: ...


def goals_in(orders: Ordered) -> Goals:
    """Return the goals that a run is ordered to reach."""
    return Goals(updates=orders.goal_updates, tokens=orders.goal_tokens, quests=orders.goal_quests)


def as_order(goals: Goals) -> dict[str, Any]:
    """Return the goals under the names that orders give them."""
    return {f"goal_{name}": getattr(goals, name) for name in Goals.__struct_fields__}


def num_quests_done(cursor: Iterable[QuestCursor]) -> int:
    """Return how many quests are learnt to the end; one whose content grew, or was edited, counts once."""
    return len({quest_of(place.quest_id) for place in cursor if place.complete})


def in_words(goals: Goals) -> str:
    """Return `2,000 updates or 3 quests`; empty when there is no goal."""
    given = ((name, getattr(goals, name)) for name in Goals.__struct_fields__)
    return " or ".join(count(number, name.removesuffix("s")) for name, number in given if number is not None)
