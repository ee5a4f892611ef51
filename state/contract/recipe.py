"""How a checkpoint was made from its parent, beyond what its run's request says: bit-equality hangs on it.

The trainer keeps it with the checkpoint (`manifest.json`), so that `reconcile replay` can make that one again
when its weights are gone. Which rows were learnt in which order stands in the manifest itself.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from state.contract.numbers import Count
from state.contract.orders import QuestOrder, RowShape
from state.contract.run_config import RunConfig


class TrainedQuest(msgspec.Struct, frozen=True, kw_only=True):
    """One content of a quest as the orders had it when it was trained last."""

    quest_id: str
    digest: str
    """SHA-256 of the snapshot's bytes."""
    shape: RowShape
    epochs: int
    """Only the last update of a quest is smaller than the others, so it matters how many were ordered."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What is different from the launch, or from the turn before, from an update on."""

    update: Count
    """The first one that it counts for."""
    config: RunConfig | None = None
    """A live change; None: as before."""
    tokens_at_once: Count | None = None
    """Of a micro-batch, after memory ran out; None: as before."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """With what the updates since the parent were made."""

    device: str
    """`cpu` or `cuda:<index>`."""
    device_name: str | None
    """As the driver names it; None of a CPU."""
    precision: Literal["fp32", "bf16"]
    """Of the matrix products: what `auto` became."""
    threads: Count
    """CPU threads of one operation."""
    torch_version: str
    is_packed: bool
    """False: each document went through the model alone (ENABLE_PACKING=0)."""
    quests: tuple[TrainedQuest, ...] = ()
    """Those trained since the parent."""
    turns: tuple[Turn, ...] = ()
    """In the order of their updates."""


def with_quest(recipe: Recipe, order: QuestOrder) -> Recipe:
    """Return the recipe after one more update of this quest."""
    now = TrainedQuest(quest_id=order.quest_id, digest=order.digest, shape=order.shape, epochs=order.epochs)
    if recipe.quests and recipe.quests[-1] == now:
        return recipe
    others = (one for one in recipe.quests if (one.quest_id, one.digest) != (now.quest_id, now.digest))
    return msgspec.structs.replace(recipe, quests=(*others, now))


def with_turn(recipe: Recipe, turn: Turn) -> Recipe:
    """Return the recipe with what is different from this turn on."""
    return msgspec.structs.replace(recipe, turns=(*recipe.turns, turn))


def since_a_save(recipe: Recipe, after_step: int) -> Recipe:
    """Return what is in force behind a checkpoint that was just saved.

    The config stays that of the last turn; how much memory there is was saved with the weights.
    """
    config = _last(turn.config for turn in recipe.turns)
    turns = () if config is None else (Turn(update=after_step + 1, config=config),)
    return msgspec.structs.replace(recipe, quests=(), turns=turns)


def _last(configs: Iterable[RunConfig | None]) -> RunConfig | None:
    found: RunConfig | None = None
    for config in configs:
        found = config or found
    return found
