"""What retention would keep of a campaign at its goal: the same rules, over the saves that are still to come.

A save is expected every so many updates, as the config says, and at the goal. Times go on at the pace of the
last two saves. What nobody knows is not made up: a save to come has no metric, so the best ones stay those of
now, and what quests and minutes add is not counted.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.retention import Retention
from reconciler.plan.keeping.kept import lasting_references, records_of, rules_of
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.retention.calendar_rules import PERIODS
from reconciler.plan.retention.records import MalformedRecords, Record
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import ALL, Rules
from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow

MOST_SAVES = 20_000
"""More than so many saves to come are not counted one by one."""


class AtGoal(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoints of a campaign once its goal is reached."""

    updates: int
    """The goal."""
    every_updates: int
    """One save in so many updates."""
    num_checkpoints: int | None = None
    """That lie there now or are saved until then."""
    num_kept: int | None = None
    kept_bytes: int | None = None
    """When all to come are as large as the newest; None: there is none yet."""
    unknown: str | None = None
    """Why the numbers are not known."""


def at_goal(world: World, spec: Retention, row: CampaignRow) -> AtGoal | None:
    """Return what would be kept at a campaign's goal; None without a goal of updates that lies ahead."""
    goal = world.goals(row.name).updates
    stock = stock_of(world, row)
    living = (one.step for one in stock.in_force.values() if one.is_living)
    newest = max(living, default=row.starting_step)
    if goal is None or newest >= goal or row.status == "archived":
        return None
    every = int(resolve(layers_of(world.desired, row.name))["checkpoint.every_updates"].value)
    return kept_at(world, spec, stock, newest, AtGoal(updates=goal, every_updates=every))


def kept_at(world: World, spec: Retention | None, stock: Stock, newest: int, told: AtGoal) -> AtGoal:
    """Return what would be kept of a campaign that stands at `newest`, once it has made `told.updates`."""
    rules = Rules(last=ALL) if spec is None else rules_of(world, spec, stock.row)
    rules = msgspec.structs.replace(rules, minimum_age_seconds=0.0)
    pace, every = pace_of(stock), told.every_updates
    if (told.updates - newest) // every > MOST_SAVES:
        return msgspec.structs.replace(told, unknown=f"more than {MOST_SAVES:,} saves are still to come")
    if pace is None and _reads_times(rules):
        return msgspec.structs.replace(told, unknown="the rules count time, and its pace is not known yet")
    try:
        return _counted(world, stock, rules, told, _saves(world, stock, newest, told, pace or timedelta(0)))
    except MalformedRecords as error:
        return msgspec.structs.replace(told, unknown=str(error))


def _counted(world: World, stock: Stock, rules: Rules, told: AtGoal, saves: Sequence[Record]) -> AtGoal:
    records = (*records_of(world, stock), *saves)
    spec = world.retention
    pins = spec.spec.pins if spec else ()
    now = world.observed_now
    references = tuple(lasting_references(world, stock.row))
    kept = {one.id for one in retain(records, rules, pins, references, now) if one.decision == "keep"}
    sizes = {one.sequence: one.size_bytes for one in stock.ledger}
    newest = stock.ledger[-1].size_bytes if stock.ledger else None
    known = [sizes.get(record.sequence, newest) for record in records if record.id in kept]
    return msgspec.structs.replace(
        told,
        num_checkpoints=sum(not record.gone for record in records),
        num_kept=len(kept),
        kept_bytes=None if newest is None else sum(size for size in known if size is not None),
    )


def _saves(world: World, stock: Stock, newest: int, told: AtGoal, pace: timedelta) -> list[Record]:
    """Return the records of the saves to come: at each multiple of the interval, and at the goal."""
    every, row = told.every_updates, stock.row
    steps = [*range(newest - newest % every + every, told.updates, every), told.updates]
    since = (_time(stock.ledger[-1]) if stock.ledger else None) or datetime.fromisoformat(world.now)
    first = max((one.sequence for one in stock.ledger), default=0) + 1
    return [
        Record(
            id=f"{row.name}@{step}",
            sequence=first + number,
            segment=row.segment,
            step=step,
            saved_at=(since + pace * (step - newest)).isoformat(),
            recorded_at_seconds=0.0,
            healthy=True,
            size_bytes=stock.ledger[-1].size_bytes if stock.ledger else 0,
        )
        for number, step in enumerate(steps)
    ]


def pace_of(stock: Stock) -> timedelta | None:
    """Return the time of one update between the last two saves of one run."""
    if len(stock.ledger) < 2:  # noqa: PLR2004 - two saves
        return None
    before, last = stock.ledger[-2:]
    if _run(before) != _run(last) or last.step <= before.step:
        return None
    since, until = _time(before), _time(last)
    took = until - since if since and until else timedelta(0)
    return took / (last.step - before.step) if took > timedelta(0) else None


def _time(one: LedgerRow) -> datetime | None:
    """Return when it was saved; None where that is no time with a zone, of which retention speaks itself."""
    try:
        moment = datetime.fromisoformat(one.timestamp)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _run(one: LedgerRow) -> tuple[int, int, int]:
    return one.segment, one.generation, one.attempt


def _reads_times(rules: Rules) -> bool:
    return rules.within_seconds is not None or any(getattr(rules, name) for name in PERIODS)
