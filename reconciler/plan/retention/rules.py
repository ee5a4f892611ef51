"""The rules of retention. Each is a reason to keep; what no rule keeps may go."""

from functools import cached_property
from typing import Literal

import msgspec

ALL = -1
"""As a count: no limit."""


class Best(msgspec.Struct, frozen=True, kw_only=True):
    """Keep those with the best values of a metric."""

    metric: str
    direction: Literal["lower", "higher"]
    count: int = 1
    """0: no rule asks for any; the one best is protected all the same."""
    of_held_out_rows: bool = False
    """Its values are compared among those measured on the newest held-out rows, too, not only among all."""


class Rules(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Reasons to keep checkpoints. Counts are of healthy ones; 0 keeps none, ALL (-1) every one."""

    last: int = 0
    """The newest."""
    last_bytes: int | None = None
    """The newest that are no more than this together."""
    every_steps: int | None = None
    """The first at or after each multiple of so many steps."""
    hourly: int = 0
    """The newest of each of the last so many hours in which one was saved; likewise days, ISO weeks, months
    and years below. All in UTC. See `calendar_rules`."""
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within_seconds: float | None = None
    """Those saved less than this before the newest."""
    best: tuple[Best, ...] = ()
    final: bool = False
    tags: tuple[str, ...] = ()
    """Those that carry one of these tags."""
    milestones: tuple[int, ...] = ()
    """The first at or after each of these steps."""
    minimum_age_seconds: float = 0.0
    """Of observed time: what was recorded less than this ago is kept, whatever the rules say."""

    @cached_property
    def keeps_by_rule(self) -> bool:
        """Is there any rule here that could keep a checkpoint?"""
        counts = (self.last, self.hourly, self.daily, self.weekly, self.monthly, self.yearly)
        best = (best.count for best in self.best)
        others = (
            self.last_bytes,
            self.every_steps,
            self.within_seconds,
            self.final,
            self.tags,
            self.milestones,
        )
        return any(counts) or any(best) or any(others)
