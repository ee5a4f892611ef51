"""What becomes of the campaigns that a plan archives: what a later plan drops of them, told beforehand. Pure.

The same planners look at the world as it will be then: the campaigns at rest in the archive, what was saved
recorded, what is young old enough. The archive itself comes first, and drops nothing.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from reconciler.desired.realm import duration_seconds
from reconciler.plan.actions import CloseRun, MarkJob, RecordCheckpoint, TrashCheckpoint
from reconciler.plan.campaigns.cleanup import plan_cleanups
from reconciler.plan.changes import Change
from reconciler.plan.checkpoints.ledger_rows import ledger_row
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.review.losses import above, losses_of
from reconciler.plan.trash.drops import roll
from reconciler.plan.world import World
from state.amounts import count, duration, size
from state.ids import RunKey, which_of
from state.store.rows import CampaignRow, JobRow, LedgerRow, RunRow

_MOST_STEPS = 5


def drops_afterwards(world: World, draft: Draft, rows: Sequence[CampaignRow]) -> dict[str, list[Change]]:
    """Return, for each of these campaigns, what is dropped of it once it is archived."""
    names = {row.name for row in rows}
    then, scratch = _world_then(world, draft, names), Draft()
    scratch.put(*draft.changes)
    retention = then.retention
    for row in then.facts.store.campaigns:
        if retention is not None and row.name in names and row.name in then.desired.campaigns:
            roll(then, scratch, stock_of(then, row), retention)
    plan_cleanups(then, scratch)
    found: dict[str, list[Change]] = {row.name: [] for row in rows}
    for change in scratch.changes[len(draft.changes) :]:
        if isinstance(change.action, TrashCheckpoint) and change.action.campaign in names:
            found[change.action.campaign].append(change)
    return found


def told_afterwards(world: World, drops: Sequence[Change]) -> str:
    """Return in words what is dropped afterwards: how many, which, how large, and from which line."""
    actions = [change.action for change in drops if isinstance(change.action, TrashCheckpoint)]
    if not actions:
        return ""
    names = [f"@{which_of(action.segment, action.step)}" for action in sorted(actions, key=_by_step)]
    which = ", ".join(names[:_MOST_STEPS])
    more = f" and {len(names) - _MOST_STEPS:,} more" if len(names) > _MOST_STEPS else ""
    room = f"{size(sum(action.size_bytes for action in actions))} to the trash for"
    grace = duration(max(action.grace_seconds for action in actions))
    go = "goes" if len(names) == 1 else "go"
    once = [*(["you approve it"] if _waits(world, actions) else []), *_until_old_enough(world, actions)]
    waits = f" once {' and '.join(once)}" if once else ""
    return (
        f"; then {count(len(names), 'checkpoint')} of it ({which}{more}) {go}{waits}: "
        f"{room} {grace}, by {drops[0].cause}"
    )


def _until_old_enough(world: World, drops: Sequence[TrashCheckpoint]) -> Iterator[str]:
    """Yield how old they must be by the rules, where one of them is younger; what is recorded now is too."""
    age = _minimum_age(world)
    recorded = {row.sequence: row.recorded_at_seconds for row in world.facts.store.ledger}
    rolled = (drop.sequence for drop in drops if drop.kind == "rolled")
    now = world.observed_now
    if any(now - recorded.get(sequence, now) < age for sequence in rolled):
        yield f"{'it is' if len(drops) == 1 else 'they are'} {duration(age)} old"


def _by_step(action: TrashCheckpoint) -> tuple[int, int]:
    """Return what sorts by step, that of the living history first."""
    return action.step, action.segment or 0


def _waits(world: World, drops: Sequence[TrashCheckpoint]) -> bool:
    """Does it need an approval, even by itself?"""
    limits = world.desired.realm.spec.apply.approve_above
    rolled = [drop for drop in drops if drop.kind == "rolled"]
    return len(rolled) < len(drops) or bool(above(losses_of(world, rolled), limits))


def _world_then(world: World, draft: Draft, names: set[str]) -> World:
    """Return the world once these campaigns are archived, with everything of this plan about them done."""
    facts = world.facts
    store = msgspec.structs.replace(
        facts.store,
        campaigns=tuple(_archived(row) if row.name in names else row for row in facts.store.campaigns),
        ledger=(*facts.store.ledger, *_recorded(world, draft, names)),
        runs=tuple(_closed(facts.store.runs, draft.actions(CloseRun))),
        jobs=tuple(marked(facts.store.jobs, draft.actions(MarkJob))),
        observed_seconds=_old_enough(world),
    )
    there = {name: msgspec.structs.replace(world.seen(name), home="home") for name in names}
    return World(
        desired=world.desired,
        facts=msgspec.structs.replace(facts, store=store, campaigns={**facts.campaigns, **there}),
        specs_commit=world.specs_commit,
        now=world.now,
        misnamed=world.misnamed,
    )


def _old_enough(world: World) -> float:
    """Return an observed time at which nothing is too young to go."""
    recorded = max((row.recorded_at_seconds for row in world.facts.store.ledger), default=0.0)
    return max(recorded, world.observed_now) + _minimum_age(world)


def _minimum_age(world: World) -> float:
    retention = world.retention
    return duration_seconds(retention.spec.minimum_age) if retention is not None else 0.0


def _archived(row: CampaignRow) -> CampaignRow:
    return msgspec.structs.replace(row, status="archived")


def _recorded(world: World, draft: Draft, names: set[str]) -> Iterable[LedgerRow]:
    """Yield the rows that this plan enters into the ledger."""
    sequence = max((row.sequence for row in world.facts.store.ledger), default=0)
    for action in draft.actions(RecordCheckpoint):
        for found in world.seen(action.campaign).all_complete if action.campaign in names else ():
            if found.digest == action.digest:
                sequence += 1
                yield ledger_row(found, path=found.path, sequence=sequence)


def _closed(runs: Iterable[RunRow], closing: Iterable[CloseRun]) -> Iterable[RunRow]:
    keys = {action.key for action in closing}
    for run in runs:
        is_over = RunKey(run.campaign_uid, run.generation, run.attempt) in keys
        yield msgspec.structs.replace(run, state="ended") if is_over else run


def marked(jobs: Iterable[JobRow], marks: Iterable[MarkJob]) -> Iterable[JobRow]:
    """Yield the jobs as they are once these marks are set."""
    by_job = {action.job_uid: action for action in marks}
    for job in jobs:
        mark = by_job.get(job.uid)
        changes = {} if mark is None else {"status": mark.status, "start_step": mark.start_step}
        yield msgspec.structs.replace(job, **changes) if changes else job
