"""Segments: what a campaign's history goes on from is decided before anything is launched."""

from typing import Literal

from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.actions import BeginSegment, CloseRun
from reconciler.plan.at_rest import needs_at_rest
from reconciler.plan.changes import WAITS
from reconciler.plan.draft import Draft
from reconciler.plan.queue import jobs
from reconciler.plan.segments.heading import learnt_at, of_branch
from reconciler.plan.segments.lowered_rates import factor_of
from reconciler.plan.segments.releases import (
    Begin,
    beyond_goal,
    branch_to_begin,
    never_made,
    open_branch,
    release_to_come,
    waits_for_warm_up,
    wanted_of,
)
from reconciler.plan.segments.rollbacks import (
    DIVERGED,
    NoRollback,
    Rollback,
    next_number,
    overtaken,
    rollback_of,
)
from reconciler.plan.segments.rolled_back import told_after_rollback
from reconciler.plan.world import World
from state.amounts import count
from state.contract.request import DecayBranch
from state.store.rows import CampaignRow, SegmentRow


def plan_segments(world: World, draft: Draft) -> None:
    """Begin the segments that are asked for, once no trainer is at work; go on with what a kill cut short."""
    for row in world.facts.store.campaigns:
        if world.seen(row.name).home != "home":
            continue
        begun = next((one for one in world.facts.segments_of(row.uid) if one.ready_at is None), None)
        if begun is not None:
            _go_on(draft, row, begun)
        elif world.suspension(row.name) is None:
            _plan(world, draft, row)
    _name_never_made(world, draft)


def waits_for_its_segment(world: World, draft: Draft, campaign: str, branch: SegmentRow | None) -> bool:
    """Is a segment begun by this plan, or in the way of what was asked for? Then nothing is launched.

    `branch`: the release that would be launched; None: the living history, before which a release that is due
    comes.
    """
    if any(action.campaign == campaign for action in draft.actions(BeginSegment)):
        return True
    if any(one.campaign == campaign and one.failure_class == DIVERGED for one in draft.actions(CloseRun)):
        return True  # what follows from that is planned once it is written down
    row = world.facts.campaign_row(campaign)
    if row is None:
        return False
    is_due = branch is None and release_due(world, draft, row) is not None
    return is_due or rollback_of(world, row) is not None


def _plan(world: World, draft: Draft, row: CampaignRow) -> None:
    found = rollback_of(world, row)
    if isinstance(found, NoRollback):
        _block(draft, row.name, found)
    elif found is not None:
        if not world.is_training(row.name):
            _begin(world, draft, row, found)
    else:
        if (said := overtaken(world, row)) is not None:
            draft.warnings.append(said)
        _plan_release(world, draft, row)


def _name_never_made(world: World, draft: Draft) -> None:
    """Name the release that the active campaign will never make, before its first launch too."""
    name = world.active
    if name is None or name not in world.desired.campaigns or world.facts.campaign_row(name) is not None:
        return
    is_held = world.desired.campaigns[name].spec.state is not None or world.suspension(name) is not None
    if not is_held and (found := never_made(world, name)) is not None:
        _block(draft, name, found)


def _block(draft: Draft, campaign: str, found: NoRollback) -> None:
    subject = f"campaign/{campaign}"
    draft.block(subject, code=found.code, message=found.message, cause=found.cause, hint=found.hint)


def decay_of(branch: SegmentRow) -> DecayBranch:
    """Return the horizon of a branch, as its trainer is told it."""
    return DecayBranch(
        start_step=branch.parent_step, updates=branch.updates or 1, final_ratio=branch.final_ratio or 1.0
    )


def release_due(world: World, draft: Draft, row: CampaignRow) -> str | None:
    """Return in words the release that is to be trained now: it comes before the living history."""
    branch = open_branch(world, row)
    if branch is not None:
        is_due = bool(of_branch(world, draft, row.name, branch).work)
        return f"the release of step {branch.parent_step} is made first" if is_due else None
    begin = branch_to_begin(world, row)
    if isinstance(begin, Begin) and _has_rows(world, draft, row, begin.parent):
        return f"the release of step {begin.parent.step} is made first"
    return None


def _has_rows(world: World, draft: Draft, row: CampaignRow, parent: FoundCheckpoint) -> bool:
    done = learnt_at(world, row.name, parent)
    return any(job.uid not in done for job in jobs.pending(world, draft, row.name, again=True))


def _plan_release(world: World, draft: Draft, row: CampaignRow) -> None:
    branch = open_branch(world, row)
    if branch is not None:
        _name_waiting(world, draft, row, branch)
        return
    begin = branch_to_begin(world, row)
    if isinstance(begin, NoRollback):
        _block(draft, row.name, begin)
    elif begin is None:
        _name_warm_up(world, draft, row)
    elif not _has_rows(world, draft, row, begin.parent):
        _block_waiting(draft, row, begin.parent.step, 0, begin.release.updates, begin.cause)
    elif not world.is_training(row.name):
        _branch_off(world, draft, row, begin)


def _name_warm_up(world: World, draft: Draft, row: CampaignRow) -> None:
    """Say that a release waits for the end of the warm-up, if its step was reached before that."""
    found = waits_for_warm_up(world, row)
    if found is not None:
        draft.block(
            f"campaign/{row.name}",
            code=WAITS,
            message=f"the release at step {found.at:,} waits for the end of the warm-up, after "
            f"{found.warm_up:,} updates ({found.origin}); {row.name} stands at step {found.step:,}",
            cause=found.cause,
            hint="nothing: training brings it there; or lower warmup_steps",
        )
        return
    _name_to_come(world, draft, row)


def _name_to_come(world: World, draft: Draft, row: CampaignRow) -> None:
    """Say what the next release will be, while no checkpoint is as far."""
    found = release_to_come(world, row)
    if found is None:
        return
    place, release, step = found
    if (never := beyond_goal(world, row.name, place, release)) is not None:
        _block(draft, row.name, never)
        return
    draft.block(
        f"campaign/{row.name}",
        code=WAITS,
        message=f"the release at step {release.at:,} branches off the first checkpoint there and makes "
        f"{count(release.updates, 'update')}, its rate falling to {release.to:g} of what it was; "
        f"{row.name} stands at step {step:,}",
        cause=world.where(f"campaign/{row.name}", "releases", place),
        hint="nothing: training brings it there",
    )


def _name_waiting(world: World, draft: Draft, row: CampaignRow, branch: SegmentRow) -> None:
    """Say that a release waits for rows, if it does."""
    found = of_branch(world, draft, row.name, branch)
    if not found.work:
        stand = found.stand.step if found.stand is not None else branch.parent_step
        cause = world.where(f"campaign/{row.name}", "releases")
        _block_waiting(draft, row, branch.parent_step, stand - branch.parent_step, branch.updates or 0, cause)


def _block_waiting(draft: Draft, row: CampaignRow, step: int, made: int, updates: int, cause: str) -> None:
    draft.block(
        f"campaign/{row.name}",
        code="release-waits",
        message=f"the release of step {step} has made {made} of {updates} updates, and waits for rows that "
        "come after it",
        cause=cause,
        hint="add a quest, or remove the release",
    )


def _branch_off(world: World, draft: Draft, row: CampaignRow, begin: Begin) -> None:
    release, parent = begin.release, begin.parent
    segments = world.facts.segments_of(row.uid)
    draft.add(
        BeginSegment(
            campaign=row.name,
            campaign_uid=row.uid,
            kind="decay",
            number=next_number(segments),
            living=row.segment,
            parent_segment=parent.manifest.segment,
            parent_step=parent.step,
            parent_digest=parent.digest,
            wanted=wanted_of(release),
            reason=release.note or f"its spec asks for a release at step {release.at}",
            rate_factor=factor_of(row, segments),
            updates=release.updates,
            final_ratio=release.to,
        ),
        subject=f"campaign/{row.name}",
        reason=release.note or f"a release at step {release.at}",
        cause=begin.cause,
        source="edit",
        needs=needs_at_rest(draft, row),
    )


def _begin(world: World, draft: Draft, row: CampaignRow, rollback: Rollback) -> None:
    parent = rollback.parent
    newest = max((one.number for one in world.facts.segments_of(row.uid)), default=1)
    action = BeginSegment(
        campaign=row.name,
        campaign_uid=row.uid,
        kind="rollback",
        number=newest + 1,
        living=row.segment,
        parent_segment=parent.manifest.segment if parent is not None else row.segment,
        parent_step=parent.step if parent is not None else 0,
        parent_digest=parent.manifest.digest if parent is not None else None,
        wanted=rollback.wanted,
        reason=rollback.reason,
        rate_factor=rollback.rate_factor,
    )
    source: Literal["edit", "drift"] = "edit" if rollback.is_asked else "drift"
    draft.add(
        action,
        subject=f"campaign/{row.name}",
        reason=f"{rollback.reason}{told_after_rollback(world, row, parent)}",
        cause=rollback.cause,
        source=source,
        needs=needs_at_rest(draft, row),
    )


def _go_on(draft: Draft, row: CampaignRow, begun: SegmentRow) -> None:
    draft.add(
        BeginSegment(
            campaign=row.name,
            campaign_uid=row.uid,
            kind=begun.kind,
            number=begun.number,
            living=row.segment,
            parent_segment=begun.parent_segment,
            parent_step=begun.parent_step,
            parent_digest=begun.parent_digest,
            wanted=begun.wanted,
            reason=begun.reason,
            rate_factor=begun.rate_factor,
            updates=begun.updates,
            final_ratio=begun.final_ratio,
        ),
        subject=f"campaign/{row.name}",
        reason=f"begun at {begun.begun_at}, and cut short: {begun.reason}",
        cause=begun.wanted,
        source="drift",
        needs=needs_at_rest(draft, row),
    )
