"""Before a launch: do the saves of all that is queued fit, with what rules and trash hold then? Pure.

What is needed at the peak is what the rules keep once all is trained, what lies in the trash then, and the
save that is being written, each as large as the newest save that was measured. Beside that stays free what
training needs to go on (`room`). Before the first save nothing is known, and the trainer itself looks before
it writes.
"""

import math
from typing import NamedTuple

from reconciler.desired.realm import duration_seconds
from reconciler.plan.actions import EnqueueJob
from reconciler.plan.costs.room import floor_bytes, reserve_bytes, save_bytes
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept_at_goal import AtGoal, kept_at, pace_of
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.queue.jobs import PendingJob, cursor_of
from reconciler.plan.segments.heading import Heading
from reconciler.plan.world import World
from state.amounts import count, size
from state.contract.run_config import RunConfig

_TICKS_IN_TRASH = 2
"""What the rules drop stays so many clean ticks beyond its time."""


class Peak(NamedTuple):
    """What lies on the disk when training has taken most of it."""

    num_kept: int
    num_in_trash: int
    save_bytes: int
    there_bytes: int
    """Of that, what lies there now, and what of the trash becomes free meanwhile."""
    kept_bytes: int

    @property
    def more_bytes(self) -> int:
        """Return how much is written beside what lies there; one save at least."""
        most = self.kept_bytes + (self.num_in_trash + 1) * self.save_bytes
        return max(self.save_bytes, most - self.there_bytes)

    @property
    def text(self) -> str:
        trash = f", {self.num_in_trash} in the trash" if self.num_in_trash else ""
        kept = count(self.num_kept, "checkpoint")
        return f"{kept} kept{trash} and one being written, of {size(self.save_bytes)} each"


def block_full(world: World, draft: Draft, campaign: str, config: RunConfig, heading: Heading) -> bool:
    """Say that the saves to come do not fit; return whether nothing is launched therefore."""
    free, peak = world.facts.disk.free_bytes, peak_of(world, draft, campaign, config, heading)
    reserve = reserve_bytes(world, campaign)
    if free is None or peak is None or free >= peak.more_bytes + reserve:
        return False
    missing = peak.more_bytes + reserve - free
    message = (
        f"its saves do not fit: all that is queued needs {size(peak.more_bytes)} more at its peak "
        f"({peak.text}), and {size(reserve)} stay free: the floor of {size(floor_bytes(world))} and the save "
        f"of a pause; {size(free)} are free"
    )
    if world.desired.realm.spec.disk.preflight == "warn":
        draft.warnings.append(f"campaign/{campaign}: {message}; it pauses before a save can fail")
        return False
    retention = world.retention
    rules = retention.where("campaigns") if retention is not None else "a specs/retention.yaml"
    draft.block(
        f"campaign/{campaign}",
        code="disk-too-small",
        message=message,
        cause=world.where("realm", "disk"),
        hint=f"free {size(missing)}, keep fewer ({rules}) or save less often (checkpoint.every_updates); "
        "disk: {preflight: warn} in realm.yaml lets it train until there is no room",
    )
    return True


def peak_of(world: World, draft: Draft, campaign: str, config: RunConfig, heading: Heading) -> Peak | None:
    """Return what training all that is queued takes at most; None where too little is known to say so."""
    row, saved = world.facts.campaign_row(campaign), save_bytes(world, campaign)
    updates = _updates(world, draft, campaign, heading, config)
    if row is None or not saved or not updates:
        return None
    stock = stock_of(world, row)
    begin = heading.stand.step if heading.stand is not None else row.starting_step
    every = _updates_between_saves(config, stock)
    retention = world.retention
    spec = retention.spec if retention is not None else None
    told = kept_at(world, spec, stock, begin, AtGoal(updates=begin + updates, every_updates=every))
    if told.num_kept is None or told.num_checkpoints is None or told.kept_bytes is None:
        return None
    return Peak(
        num_kept=told.num_kept,
        num_in_trash=_in_trash(world, stock, told, every),
        save_bytes=saved,
        there_bytes=sum(one.size_bytes for one in stock.kept) + _soon_free(world, row.uid),
        kept_bytes=told.kept_bytes,
    )


def _updates(world: World, draft: Draft, campaign: str, heading: Heading, config: RunConfig) -> int | None:
    """Return how many updates all that is queued takes at most; None where its rows are not known."""
    left = [_rows_left(world, draft, campaign, job) for job in heading.work]
    at_once = config.training.batch_size * config.training.gradient_accumulation
    updates = sum(math.ceil(rows / at_once) for rows in left if rows is not None)
    if None in left:
        return None
    goal, stand = heading.goals.updates, heading.stand
    return updates if goal is None else max(0, min(updates, goal - (stand.step if stand is not None else 0)))


def _rows_left(world: World, draft: Draft, campaign: str, pending: PendingJob) -> int | None:
    """Return how many rows of a job are not learnt yet, an epoch after another."""
    row = next((job for job in world.facts.jobs_of(world.uid(campaign)) if job.uid == pending.uid), None)
    if row is None:
        keys = {action.source_key for action in draft.actions(EnqueueJob) if action.job_uid == pending.uid}
        known = (data.num_rows for data in world.facts.store.quest_data if data.source_key in keys)
        num_rows = next(known, None)
        return None if num_rows is None else num_rows * pending.epochs
    cursor = cursor_of(world, campaign, row)
    learnt = cursor.epochs_done * row.num_examples + cursor.rows_taken if cursor is not None else 0
    return max(0, row.num_examples * pending.epochs - learnt)


def _updates_between_saves(config: RunConfig, stock: Stock) -> int:
    """Return after how many updates a save comes: by their number, or, at the pace known, by minutes."""
    every, pace = config.checkpoint.every_updates, pace_of(stock)
    if pace is None:
        return every
    return max(1, min(every, int(config.checkpoint.every_minutes * 60 / pace.total_seconds())))


def _in_trash(world: World, stock: Stock, told: AtGoal, every: int) -> int:
    """Return how many dropped saves lie in the trash at once; none where the pace is not known yet."""
    retention, pace = world.retention, pace_of(stock)
    if retention is None or pace is None:
        return 0
    grace = duration_seconds(retention.spec.trash.rolled)
    dropped = (told.num_checkpoints or 0) - (told.num_kept or 0)
    return min(dropped, math.ceil(grace / (pace.total_seconds() * every)) + _TICKS_IN_TRASH)


def _soon_free(world: World, uid: str) -> int:
    """Return how much of the trash becomes free while it trains: what the rules dropped of it."""
    stones = (stone for stone in world.facts.in_trash if stone.campaign_uid == uid)
    return sum(stone.size_bytes for stone in stones if stone.kind == "rolled")
