"""The world once the active campaign went back, and the launch that follows: what a rollback costs. Pure.

The planner of launches looks at the world as it will be then: what was saved later lies aside, and the jobs
wait that are to be learnt again.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from reconciler.observed.facts import CampaignFacts
from reconciler.plan.actions import BeginSegment, LaunchRun, MarkJob, StopRun
from reconciler.plan.campaigns.afterwards import marked
from reconciler.plan.changes import Change
from reconciler.plan.draft import Draft
from reconciler.plan.runs.launches import plan_launch
from reconciler.plan.segments.learnt_again import jobs_after_rollback
from reconciler.plan.segments.rollbacks import Rollback, next_number, rollback_of
from reconciler.plan.world import World
from state.store.rows import CampaignRow, JobRow, RunRow, SegmentRow

_DONE_THEN = (BeginSegment, MarkJob, StopRun)
"""What of the same plan the world has behind it then."""


class Afterwards(NamedTuple):
    """What a later tick meets, and what it launches."""

    world: World
    launches: tuple[Change, ...]


def after_rollback(world: World, changes: Sequence[Change]) -> Afterwards | None:
    """Return what follows where these changes take the active campaign back; None where they do not."""
    row = world.facts.campaign_row(world.active or "")
    if row is None or not any(_leads_there(change, row) for change in changes):
        return None
    rollback = rollback_of(world, row)
    if not isinstance(rollback, Rollback):
        return None
    marks = [change.action for change in changes if isinstance(change.action, MarkJob)]
    then, scratch = _world_then(world, row, rollback, marks), Draft()
    before = [change for change in changes if not isinstance(change.action, _DONE_THEN)]
    scratch.put(*before)
    plan_launch(then, scratch)
    launches = (one for one in scratch.changes[len(before) :] if isinstance(one.action, LaunchRun))
    return Afterwards(then, tuple(launches))


def _leads_there(change: Change, row: CampaignRow) -> bool:
    action = change.action
    return isinstance(action, BeginSegment | StopRun) and action.campaign == row.name


def _world_then(world: World, row: CampaignRow, rollback: Rollback, marks: Sequence[MarkJob]) -> World:
    begun = _segment(world, row, rollback)
    there = {row.name: _cut(_at_rest(world, row), begun.parent_step)}
    return World(
        desired=world.desired,
        facts=msgspec.structs.replace(
            world.facts,
            store=msgspec.structs.replace(
                world.facts.store,
                campaigns=tuple(_on(begun, one) for one in world.facts.store.campaigns),
                segments=(*world.facts.store.segments, begun),
                runs=tuple(_over(one, row) for one in world.facts.store.runs),
                jobs=tuple(_jobs(marked(world.facts.store.jobs, marks), row, rollback)),
            ),
            campaigns={**world.facts.campaigns, **there},
        ),
        specs_commit=world.specs_commit,
        now=world.now,
        misnamed=world.misnamed,
    )


def _segment(world: World, row: CampaignRow, rollback: Rollback) -> SegmentRow:
    parent = rollback.parent
    return SegmentRow(
        campaign_uid=row.uid,
        number=next_number(world.facts.segments_of(row.uid)),
        kind="rollback",
        wanted=rollback.wanted,
        reason=rollback.reason,
        parent_segment=parent.manifest.segment if parent is not None else row.segment,
        parent_step=parent.step if parent is not None else 0,
        parent_digest=parent.digest if parent is not None else None,
        rate_factor=rollback.rate_factor,
        begun_at=world.now,
        ready_at=world.now,
    )


def _on(begun: SegmentRow, row: CampaignRow) -> CampaignRow:
    is_it = row.uid == begun.campaign_uid
    return msgspec.structs.replace(row, segment=begun.number) if is_it else row


def _over(run: RunRow, row: CampaignRow) -> RunRow:
    is_at_work = run.campaign_uid == row.uid and run.state != "ended"
    return msgspec.structs.replace(run, state="ended", end="stopped") if is_at_work else run


def _at_rest(world: World, row: CampaignRow) -> CampaignFacts:
    """Return what lies there once its trainer, that the store knows, has left."""
    seen = world.seen(row.name)
    known = (world.row_of_run(row.name, run) is not None for run in seen.runs)
    runs = zip(seen.runs, known, strict=True)
    left = tuple(msgspec.structs.replace(run, alive=run.alive and not is_known) for run, is_known in runs)
    return msgspec.structs.replace(seen, runs=left)


def _cut(seen: CampaignFacts, step: int) -> CampaignFacts:
    """Return what lies there of the living history, without what is moved aside."""
    stay = tuple(one for one in seen.checkpoints.complete if one.step <= step)
    return msgspec.structs.replace(seen, checkpoints=msgspec.structs.replace(seen.checkpoints, complete=stay))


def _jobs(jobs: Iterable[JobRow], row: CampaignRow, rollback: Rollback) -> Iterator[JobRow]:
    """Yield every job, those of the campaign as they wait then."""
    parent, there = rollback.parent, list(jobs)
    cursor, step = (parent.manifest.cursor, parent.step) if parent is not None else ((), 0)
    mine = (job for job in there if job.campaign_uid == row.uid)
    again = {job.uid: job for job in jobs_after_rollback(mine, cursor, step)}
    yield from (again.get(job.uid, job) for job in there)
