"""What comes by a moment if training goes on as it did: when each quest ends, when the disk is full. Pure.

The pace is that of runs alike that are over (`pace`); saves are made at their interval of updates and at the
end of each quest, are as large as the newest, and what the rules drop of them frees its room after its time
of grace. What nobody knows stays unknown. What others write to the disk, pauses and failures are not in it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.realm import duration_seconds
from reconciler.plan.changes import Change
from reconciler.plan.costs.pace import Expected, expected, key_of, runs_alike
from reconciler.plan.costs.records import Forecast, QuestEnd
from reconciler.plan.costs.training import Work, config_of, tokens_of, updates_of
from reconciler.plan.keeping.kept import lasting_references, records_of, rules_of
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.retention.records import MalformedRecords, Record
from reconciler.plan.retention.retain import retain
from reconciler.plan.world import World
from state.store.rows import CampaignRow

MOST_SAVES = 300
"""So many saves to come are followed one by one; the disk of a longer time is unknown."""


def forecast(
    world: World, changes: Sequence[Change], named: Sequence[tuple[str, Work]], seconds: float
) -> Forecast:
    """Return what comes of these quests, in their order, in so many seconds from now."""
    until = _after(world, seconds)
    found = config_of(world, [change.action for change in changes], world.active or "")
    if found is None or not named:
        why = "nothing is to be trained" if not named else "no run lives and none would be launched"
        ends = tuple(QuestEnd(quest=name, ends_at=None, why=why) for name, _ in named)
        return Forecast(until=until, quests=ends, disk_unknown=why)
    alike = runs_alike(world.facts.store.runs, key_of(*found))
    steps = list(_steps(named, lambda work: updates_of([work], found[0])))
    times = [
        expected(alike, updates, tokens) if updates is not None else None for _, updates, tokens in steps
    ]
    quests = tuple(_end(world, name, time, until) for (name, _, _), time in zip(steps, times, strict=True))
    told = Forecast(until=until, quests=quests)
    if any(time is None for time in times):
        return msgspec.structs.replace(told, disk_unknown="the pace of training is not known yet")
    known = [(updates or 0, time.seconds) for (_, updates, _), time in zip(steps, times, strict=True) if time]
    return _with_disk(world, told, known, seconds)


def _steps(
    named: Sequence[tuple[str, Work]], count: Callable[[Work], int | None]
) -> Iterator[tuple[str, int | None, int | None]]:
    """Yield each quest with the updates and tokens until its end."""
    updates: int | None = 0
    tokens: int | None = 0
    for name, work in named:
        one, some = count(work), tokens_of([work])
        updates = None if updates is None or one is None else updates + one
        tokens = None if tokens is None or some is None else tokens + some
        yield name, updates, tokens


def _end(world: World, name: str, time: Expected | None, until: str) -> QuestEnd:
    if time is None:
        return QuestEnd(quest=name, ends_at=None, why="its rows, or the pace, are not known yet")
    ends = _after(world, time.seconds)
    return QuestEnd(
        quest=name,
        ends_at=ends,
        low_at=_after(world, time.low_seconds),
        high_at=_after(world, time.high_seconds),
        is_in_time=ends <= until,
    )


def _with_disk(world: World, told: Forecast, known: Sequence[tuple[int, float]], seconds: float) -> Forecast:
    row, free = world.facts.campaign_row(world.active or ""), world.facts.disk.free_bytes
    ledger = world.facts.ledger_of(row.uid) if row is not None else ()
    if row is None or not ledger or free is None:
        return msgspec.structs.replace(told, disk_unknown="nothing was saved yet to know its size by")
    saves = [one for one in _save_times(world, known) if one[1] <= seconds]
    if len(saves) > MOST_SAVES:
        return msgspec.structs.replace(told, disk_unknown=f"more than {MOST_SAVES} saves are made until then")
    size = ledger[-1].size_bytes
    try:
        events = sorted(_events(world, row, saves, size))
    except MalformedRecords as error:
        return msgspec.structs.replace(told, disk_unknown=str(error))
    full_at = None
    for at, change in events:
        if at > seconds:
            break
        free -= change
        if free < 0 and full_at is None:
            full_at = _after(world, at)
    return msgspec.structs.replace(told, num_saves=len(saves), disk_full_at=full_at, free_bytes=max(0, free))


def _save_times(world: World, known: Sequence[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """Yield step and seconds from now of each save to come."""
    campaign = world.active or ""
    every = int(resolve(layers_of(world.desired, campaign))["checkpoint.every_updates"].value)
    newest = world.newest_checkpoint(campaign)
    begin = newest.step if newest is not None else 0
    before_updates, before_seconds = 0, 0.0
    for updates, seconds in known:
        first = begin + before_updates
        marks = [*range(first - first % every + every, begin + updates, every), begin + updates]
        each = (seconds - before_seconds) / max(1, updates - before_updates)
        yield from ((step, before_seconds + each * (step - first)) for step in marks if step > first)
        before_updates, before_seconds = updates, seconds


def _events(
    world: World, row: CampaignRow, saves: Sequence[tuple[int, float]], size: int
) -> Iterator[tuple[float, int]]:
    """Yield when how many bytes are written, and when how many become free again (below 0)."""
    yield from ((at, size) for _, at in saves)
    retention = world.retention
    if retention is None:
        return
    grace = duration_seconds(retention.spec.trash.rolled)
    stock, rules = stock_of(world, row), rules_of(world, retention.spec, row)
    now, references = world.observed_now, tuple(lasting_references(world, row))
    records, dropped = list(records_of(world, stock)), set[str]()
    number = max((record.sequence for record in records), default=0)
    for step, at in saves:
        number += 1
        records.append(
            Record(
                id=f"{row.name}@{step}", sequence=number, segment=row.segment, step=step,
                saved_at=_after(world, at), recorded_at_seconds=now + at, healthy=True,
                size_bytes=size,
            )
        )  # fmt: skip
        for one in retain(records, rules, retention.spec.pins, references, now + at):
            if one.decision == "drop" and one.id not in dropped:
                dropped.add(one.id)
                yield at + grace, -size


def _after(world: World, seconds: float) -> str:
    moment = datetime.fromisoformat(world.now) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
