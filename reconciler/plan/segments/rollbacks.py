"""Rollbacks: back to an earlier checkpoint, as a person's spec says, or since the loss left its bounds. Pure.

A rollback begins a new segment. The checkpoints after its parent are moved to `segments/<n>/`, where rules
and people find them; the rows that only they had learnt are trained again. Each line of a spec, and each run
that diverged, is answered once: the segment that it began remembers it.
"""

from collections.abc import Iterator, Sequence

import msgspec

from reconciler.desired.campaign import Rewind
from reconciler.desired.layers import layers_of, resolve
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.retries.retry import is_forgiven
from reconciler.plan.segments.lowered_rates import factor_of
from reconciler.plan.world import World
from state.amounts import count
from state.ids import RunKey
from state.store.rows import CampaignRow, RunRow, SegmentRow

DIVERGED = "diverged"
"""The class of failure of a run whose loss stayed far above what it was."""
_OF_A_RUN = "run "
_ASKED = "rewind to "
_SHOWN = 8


class Rollback(msgspec.Struct, frozen=True):
    """A rollback that is to be done."""

    wanted: str
    reason: str
    cause: str
    is_asked: bool
    """By a person; else the loss guard does it."""
    parent: FoundCheckpoint | None
    """None: back to the first weights."""
    rate_factor: float


class NoRollback(msgspec.Struct, frozen=True):
    """Why there is none, though it is asked for."""

    code: str
    message: str
    cause: str
    hint: str


def rollback_of(world: World, row: CampaignRow) -> Rollback | NoRollback | None:
    """Return the rollback that a campaign is to make now; None where nothing asks for one."""
    if row.status in ("archived", "deleted") or row.name not in world.desired.campaigns:
        return None
    return _asked(world, row) or _of_the_guard(world, row)


def _asked(world: World, row: CampaignRow) -> Rollback | NoRollback | None:
    """Return the rollback that the campaign's spec asks for, unless it was made."""
    rewind = open_rewind(world, row)
    if rewind is None:
        return None
    wanted = _wanted(rewind)
    cause = world.where(f"campaign/{row.name}", "rewind")
    if (number := may_have_begun(world.facts.segments_of(row.uid), rewind.to)) is not None:
        return _not_known(row, rewind.to, number, cause)
    parent = next((one for one in usable(world, row) if one.step == rewind.to), None)
    if parent is None and (rewind.to > 0 or row.starting_checkpoint is not None):
        return _not_there(world, row, rewind.to, cause)
    factor = _factor_at(world, row, parent)
    return Rollback(wanted, rewind.reason, cause, True, parent, factor)  # noqa: FBT003 - a person asked


def open_rewind(world: World, row: CampaignRow) -> Rewind | None:
    """Return the line of a campaign's spec that asks it to go back, until that is done."""
    source = world.desired.campaigns.get(row.name)
    rewind = source.spec.rewind if source is not None and row.status != "deleted" else None
    if rewind is None or any(one.wanted == _wanted(rewind) for one in world.facts.segments_of(row.uid)):
        return None
    return rewind


def next_number(segments: Sequence[SegmentRow]) -> int:
    """Return the number of the segment that is begun next."""
    return max((one.number for one in segments), default=1) + 1


def step_to_go_back_to(world: World, row: CampaignRow) -> int | None:
    """Return where a campaign is to go back to, by its spec or the guard; None: it is not to."""
    if (rewind := open_rewind(world, row)) is not None:
        return rewind.to
    found = rollback_of(world, row)
    return (found.parent.step if found.parent else 0) if isinstance(found, Rollback) else None


def may_have_begun(segments: Sequence[SegmentRow], step: int) -> int | None:
    """Return the segment that going back to a step may have begun: nobody knows what asked for it."""
    for one in reversed(segments):
        is_rollback = one.kind == "rollback" or one.updates is None
        is_vague = one.parent_digest is None and step <= one.parent_step
        if not one.is_known and is_rollback and (one.parent_step == step or is_vague):
            return one.number
    return None


def _not_known(row: CampaignRow, step: int, number: int, cause: str) -> NoRollback:
    """Say that a line may be done: it is not done again before a person has said what it is."""
    return NoRollback(
        "rewind-unknown",
        f"whether it went back to step {step} for that is not known any more: how segment {number} of "
        f"{row.name} began was lost with the store, and going back once more trains rows again",
        cause,
        "if that is done, remove the line; else go back to another step",
    )


def overtaken(world: World, row: CampaignRow) -> str | None:
    """Return in words that the campaign went elsewhere since its spec's rewind was made; None: it did not."""
    rewind = world.desired.campaigns[row.name].spec.rewind if row.name in world.desired.campaigns else None
    asked = [one for one in world.facts.segments_of(row.uid) if one.wanted.startswith(_ASKED)]
    if rewind is None or not asked or asked[-1].wanted == _wanted(rewind):
        return None
    made = next((one for one in asked if one.wanted == _wanted(rewind)), None)
    if made is None:
        return None
    where = world.where(f"campaign/{row.name}", "rewind")
    return (
        f"{where}: {row.name} went back to step {rewind.to} for that reason already (segment {made.number}), "
        f"and to step {asked[-1].parent_step} since (segment {asked[-1].number}); to go back once more give "
        "another reason"
    )


def _wanted(rewind: Rewind) -> str:
    """Return the words by which a segment remembers the line that asked for it."""
    return f"{_ASKED}{rewind.to}: {rewind.reason}"


def _not_there(world: World, row: CampaignRow, step: int, cause: str) -> NoRollback:
    steps = [str(one.step) for one in usable(world, row)]
    more = f" and {len(steps) - _SHOWN} earlier" if len(steps) > _SHOWN else ""
    known = f"name one of {', '.join(steps[-_SHOWN:])}{more}"
    if len(steps) < 2:  # noqa: PLR2004 - nothing to choose from
        known = f"the only one is {steps[0]}" if steps else "remove the line: nothing is saved"
    of_step = [one for one in world.facts.ledger_of(row.uid) if one.is_living and one.step == step]
    stone = world.facts.tombstone(of_step[-1]) if of_step else None
    found = "of which no whole and healthy checkpoint lies there"
    if stone is not None and stone.state == "trashed":
        found, known = "whose checkpoint lies in the trash", f"reconcile undelete {stone.thing}"
    return NoRollback("rewind-missing", f"it is to go back to step {step}, {found}", cause, known)


def usable(world: World, row: CampaignRow) -> list[FoundCheckpoint]:
    """Return the whole and healthy checkpoints of the living history, smallest step first."""
    damaged = {one.digest for one in world.facts.ledger_of(row.uid) if one.damage is not None}
    complete = world.seen(row.name).checkpoints.complete
    return [one for one in complete if one.manifest.healthy and one.manifest.digest not in damaged]


def _factor_at(world: World, row: CampaignRow, parent: FoundCheckpoint | None) -> float:
    """Return what was left of the rates in the segment that a checkpoint is of."""
    number = parent.manifest.segment if parent is not None else 1
    segments = world.facts.segments_of(row.uid)
    return next((one.rate_factor for one in segments if one.number == number), 1.0)


def _of_the_guard(world: World, row: CampaignRow) -> Rollback | NoRollback | None:
    """Return the rollback after a run that diverged, unless it was answered or forgiven."""
    runs = world.facts.runs_of(row.uid)
    if not runs or runs[-1].failure_class != DIVERGED:
        return None
    run, segments = runs[-1], world.facts.segments_of(row.uid)
    key = RunKey(run.campaign_uid, run.generation, run.attempt)
    wanted, forgiven_at = f"{_OF_A_RUN}{key.folder}", world.forgiven_at(row)
    is_answered = run.segment != row.segment or any(one.wanted == wanted for one in segments)
    if is_answered or is_forgiven(run.ended_at or "", forgiven_at, world.now):
        return None
    settings = resolve(layers_of(world.desired, row.name))
    budget = int(settings["loss_guard.rollbacks"].value)
    if len(list(_guarded(segments, forgiven_at))) >= budget:
        return _given_up(row, run, budget)
    factor = factor_of(row, segments) * float(settings["loss_guard.rate_factor"].value)
    reason, cause = _reason(run), f"campaigns/{row.folder_name}/runs/{key.folder}/exit.json"
    parent = _last_healthy(world, row, key)
    return Rollback(wanted, reason, cause, is_asked=False, parent=parent, rate_factor=factor)


def _reason(run: RunRow) -> str:
    return f"the loss left its bounds: {run.message or 'no word why'}"


def _guarded(segments: tuple[SegmentRow, ...], forgiven_at: str | None) -> Iterator[SegmentRow]:
    """Yield the rollbacks of the loss guard since a person last let the campaign go on."""
    for one in segments:
        if one.wanted.startswith(_OF_A_RUN) and (forgiven_at is None or one.begun_at > forgiven_at):
            yield one


def _last_healthy(world: World, row: CampaignRow, key: RunKey) -> FoundCheckpoint | None:
    """Return the newest checkpoint from before the trouble began, as the run says it; else the newest."""
    seen = world.seen(row.name).run(key)
    until = seen.exit.healthy_step if seen is not None and seen.exit is not None else None
    return next((one for one in reversed(usable(world, row)) if until is None or one.step <= until), None)


def _given_up(row: CampaignRow, run: RunRow, budget: int) -> NoRollback:
    before = f"after {count(budget, 'rollback')}, each with lower rates, " if budget else ""
    return NoRollback(
        DIVERGED,
        f"it is stopped: {before}{_reason(run)}",
        f"campaigns/{row.folder_name}/runs/g{run.generation}-a{run.attempt}/exit.json",
        f"look at the rows and the rate: reconcile logs {row.name}; then reconcile resume {row.name}",
    )
