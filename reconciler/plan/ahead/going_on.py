"""What becomes of the disk while training goes on: the planner is asked in the world as it is then. Pure.

At each save, and while none comes when something in the trash is over, the whole planner makes its plan; what
that drops, demotes and deletes is gone for the next look (`carried_out`). Where there is too little room for
training, by the same rule as in every plan, it waits, and all later saves with it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from reconciler.desired.realm import duration_seconds
from reconciler.plan.ahead.carried_out import carried_out, later, with_save
from reconciler.plan.costs.room import is_low
from reconciler.plan.planner import make_plan
from reconciler.plan.world import World
from state.store.rows import CampaignRow, JobRow

_MOST_LOOKS, _LEAST_LOOKS = 300, 30
_CAMPAIGNS_OF_A_SMALL_REALM = 100


def most_looks(world: World) -> int:
    """Return how often the planner is asked at most: less often in a large realm, where it takes longer."""
    num_campaigns = max(_CAMPAIGNS_OF_A_SMALL_REALM, len(world.facts.store.campaigns))
    return max(_LEAST_LOOKS, _MOST_LOOKS * _CAMPAIGNS_OF_A_SMALL_REALM // num_campaigns)


class Save(NamedTuple):
    """A save to come."""

    at: float
    """Seconds of training from now."""
    step: int
    ends: int | None
    """The place of the quest that ends with it."""


class Gone(NamedTuple):
    """What came of the disk; times in seconds from now."""

    num_saves: int
    full_at: float | None
    """When training first waited for room."""
    approval_at: float | None
    """When drops first waited for an approval."""
    free_bytes: int
    ends: dict[int, float]
    """Place of a quest → its last save."""
    until: float | None
    """It was followed only so far; None: to the end."""


class Ahead:
    """A world that goes on."""

    def __init__(
        self, world: World, row: CampaignRow, saves: Sequence[Save], jobs: Sequence[JobRow | None]
    ) -> None:
        """Begin with a world; `saves` of this campaign in their order, `jobs` of the quests by place."""
        self._world, self._row, self._saves, self._jobs = world, row, saves, jobs
        self._at = self._delay = 0.0
        self._num_saves = 0
        self._waits_since: float | None = None
        self._full_at: float | None = None
        self._approval_at: float | None = None
        self._ends: dict[int, float] = {}

    def follow(self, seconds: float) -> Gone:
        """Return what became of the disk in so many seconds."""
        for _ in range(most_looks(self._world)):
            self._plan()
            if (save := self._next_save()) is not None and save.at + self._delay <= self._at:
                self._save(save)
            self._wait_or_go_on()
            step = self._step()
            if step is None or self._at + step > seconds:
                return self._gone(None)
            self._world, self._at = later(self._world, step), self._at + step
        return self._gone(self._at)

    def _plan(self) -> None:
        world = self._world
        plan = make_plan(world.desired, world.facts, specs_commit=world.specs_commit, now=world.now)
        if plan.awaiting is not None and self._approval_at is None:
            self._approval_at = self._at
        self._world = carried_out(world, plan.changes)

    def _next_save(self) -> Save | None:
        is_over = self._num_saves == len(self._saves)
        return None if is_over or self._waits_since is not None else self._saves[self._num_saves]

    def _save(self, save: Save) -> None:
        self._num_saves += 1
        if save.ends is not None:
            self._ends[save.ends] = self._at
        self._world = with_save(self._world, self._row, save.step, self._learnt())

    def _learnt(self) -> list[JobRow]:
        return [job for place in self._ends if (job := self._jobs[place]) is not None]

    def _wait_or_go_on(self) -> None:
        since, is_trained = self._waits_since, self._num_saves == len(self._saves)
        if is_trained and since is None:
            return
        if is_low(self._world, self._row.name, waits=since is not None):
            if since is None and self._num_saves:
                self._save_and_pause()
            self._waits_since = self._at if since is None else since
            self._full_at = self._at if self._full_at is None else self._full_at
        elif since is not None:
            self._delay, self._waits_since = self._delay + self._at - since, None

    def _save_and_pause(self) -> None:
        """Save what was learnt since the last save, as a trainer does that pauses; an update came since."""
        step = self._world.facts.ledger_of(self._row.uid)[-1].step + 1
        self._world = with_save(self._world, self._row, step, self._learnt())

    def _step(self) -> float | None:
        """Return the seconds until the next look; None: nothing comes any more."""
        save = self._next_save()
        return save.at + self._delay - self._at if save is not None else _next_release(self._world)

    def _gone(self, until: float | None) -> Gone:
        free = self._world.facts.disk.free_bytes or 0
        return Gone(self._num_saves, self._full_at, self._approval_at, free, self._ends, until)


def _next_release(world: World) -> float | None:
    """Return the seconds until something in the trash may be deleted, or is old enough to go there."""
    now, retention = world.observed_now, world.retention
    moments = [one.trashed_at_seconds + one.grace_seconds for one in world.facts.in_trash]
    if retention is not None:
        age = duration_seconds(retention.spec.minimum_age)
        moments += [one.recorded_at_seconds + age for one in world.facts.store.ledger]
    return min((moment - now for moment in moments if moment > now), default=None)
