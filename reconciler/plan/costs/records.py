"""What the costs of one change, and a forecast, say."""

import msgspec

from reconciler.plan.costs.disk import Cost
from reconciler.plan.costs.memory import RunMemory
from reconciler.plan.costs.training import TrainingCost


class ChangeCost(msgspec.Struct, frozen=True, kw_only=True):
    """What one change costs."""

    training: TrainingCost | None = None
    """Of the content that it queues, or gives more epochs."""
    disk: Cost | None = None
    memory: RunMemory | None = None
    """Of the run that it starts."""


class QuestEnd(msgspec.Struct, frozen=True, kw_only=True):
    """When a quest is learnt to the end, in UTC."""

    quest: str
    ends_at: str | None
    """Null: nobody knows; see `why`."""
    low_at: str | None = None
    high_at: str | None = None
    """Between the two in four of five cases."""
    is_in_time: bool = False
    """Before the moment that was asked for."""
    why: str | None = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What comes until a moment."""

    until: str
    quests: tuple[QuestEnd, ...]
    num_saves: int | None = None
    disk_full_at: str | None = None
    """When training first waits for room; null: not until then, or unknown."""
    approval_at: str | None = None
    """When drops first wait for a person's approval; null: not until then, or unknown."""
    free_bytes: int | None = None
    """Then; null where it is unknown."""
    disk_unknown: str | None = None
    """Why nothing is said of the disk."""
