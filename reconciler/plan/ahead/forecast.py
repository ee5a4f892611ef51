"""What comes by a moment if training goes on as it did: when each quest ends, when there is no room. Pure.

The pace is that of runs alike that are over (`pace`); saves are made at their interval of updates, when the
clock asks at that pace, and at the end of each quest, and are as large as the newest. What becomes of the
disk then, `going_on` asks the planner. What nobody knows stays unknown. What others write to the disk,
requests and failures are not in it.
"""

from collections.abc import Iterator, Sequence

import msgspec

from reconciler.desired.layers import layers_of, resolve
from reconciler.plan.ahead.carried_out import moment_after
from reconciler.plan.ahead.going_on import Ahead, Gone, Save, most_looks
from reconciler.plan.changes import Change
from reconciler.plan.costs.records import Forecast, QuestEnd
from reconciler.plan.costs.saves import steps_of_saves, updates_by_clock
from reconciler.plan.costs.training import TrainingCost, Work, config_of, training_of_each, updates_of
from reconciler.plan.world import World


def forecast(
    world: World, changes: Sequence[Change], named: Sequence[tuple[str, Work]], seconds: float
) -> Forecast:
    """Return what comes of these quests, in their order, in so many seconds from now."""
    found = config_of(world, [change.action for change in changes], world.active or "")
    until = moment_after(world, seconds)
    if found is None or not named:
        why = "nothing is to be trained" if not named else "no run lives and none would be launched"
        ends = tuple(QuestEnd(quest=name, ends_at=None, why=why) for name, _ in named)
        return Forecast(until=until, quests=ends, disk_unknown=why)
    each = training_of_each(world, changes, [work for _, work in named])
    whole = [updates_of([work], found[0]) for _, work in named]
    told = Forecast(until=until, quests=tuple(_ends(world, named, each, whole, until)))
    if any(one.updates and one.time is None for one in each) or None in whole:
        return msgspec.structs.replace(told, disk_unknown="the pace of training is not known yet")
    return _with_disk(world, told, named, each, seconds)


def _ends(
    world: World,
    named: Sequence[tuple[str, Work]],
    each: Sequence[TrainingCost],
    whole: Sequence[int | None],
    until: str,
) -> Iterator[QuestEnd]:
    """Yield when each quest ends, while nothing makes training wait."""
    low = middle = high = 0.0
    is_known = True
    for (name, _), cost, updates in zip(named, each, whole, strict=True):
        is_known = is_known and cost.updates is not None and (cost.time is not None or not cost.updates)
        if not is_known:
            yield QuestEnd(quest=name, ends_at=None, why="its rows, or the pace, are not known yet")
            continue
        if cost.updates != updates:
            yield QuestEnd(quest=name, ends_at=None, why="the campaign reaches its goal before")
            continue
        if cost.time is not None:
            low, middle = low + cost.time.low_seconds, middle + cost.time.seconds
            high += cost.time.high_seconds
        ends = moment_after(world, middle)
        yield QuestEnd(
            quest=name,
            ends_at=ends,
            low_at=moment_after(world, low),
            high_at=moment_after(world, high),
            is_in_time=ends <= until,
        )


def _with_disk(
    world: World,
    told: Forecast,
    named: Sequence[tuple[str, Work]],
    each: Sequence[TrainingCost],
    seconds: float,
) -> Forecast:
    row, free = world.facts.campaign_row(world.active or ""), world.facts.disk.free_bytes
    if row is None or not world.facts.ledger_of(row.uid) or free is None:
        return msgspec.structs.replace(told, disk_unknown="nothing was saved yet to know its size by")
    jobs = [world.facts.job(work.job_uid) for _, work in named]
    gone = Ahead(world, row, list(_saves(world, each)), jobs).follow(seconds)
    quests = tuple(_delayed(world, told, one, place, gone) for place, one in enumerate(told.quests))
    told = msgspec.structs.replace(
        told,
        quests=quests,
        num_saves=gone.num_saves,
        disk_full_at=moment_after(world, gone.full_at) if gone.full_at is not None else None,
        approval_at=moment_after(world, gone.approval_at) if gone.approval_at is not None else None,
    )
    if gone.until is not None and gone.full_at is None:
        reached = moment_after(world, gone.until)
        why = f"followed until {reached} only, {most_looks(world)} looks ahead; there is room until then"
        return msgspec.structs.replace(told, disk_unknown=why)
    return msgspec.structs.replace(told, free_bytes=max(0, gone.free_bytes))


def _delayed(world: World, told: Forecast, one: QuestEnd, place: int, gone: Gone) -> QuestEnd:
    """Return when a quest ends where training waited for room before it."""
    if one.ends_at is None or gone.full_at is None:
        return one
    if place in gone.ends:
        ends = moment_after(world, gone.ends[place])
        is_later = ends > one.ends_at
        return msgspec.structs.replace(one, ends_at=ends, is_in_time=ends <= told.until) if is_later else one
    if one.ends_at <= moment_after(world, gone.full_at):
        return one
    why = f"training waits for room from {moment_after(world, gone.full_at)} on"
    return QuestEnd(quest=one.quest, ends_at=None, why=why)


def _saves(world: World, each: Sequence[TrainingCost]) -> Iterator[Save]:
    """Yield the saves to come: by updates, by the clock at the expected pace, and at each quest's end."""
    settings = resolve(layers_of(world.desired, world.active or ""))
    every = int(settings["checkpoint.every_updates"].value)
    minutes = float(settings["checkpoint.every_minutes"].value)
    newest = world.newest_checkpoint(world.active or "")
    step, at = newest.step if newest is not None else 0, 0.0
    for place, cost in enumerate(each):
        updates, took = cost.updates or 0, cost.time.seconds if cost.time is not None else 0.0
        end, clock = step + updates, updates_by_clock(minutes, took, updates)
        for mark in steps_of_saves(step, end, every, clock):
            yield Save(at + took * (mark - step) / updates, mark, place if mark == end else None)
        step, at = end, at + took
