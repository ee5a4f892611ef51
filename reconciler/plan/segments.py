"""Segments: what a campaign's history goes on from is decided before anything is launched."""

from typing import Literal

from reconciler.plan.actions import BeginSegment, CloseRun
from reconciler.plan.archive import needs_at_rest
from reconciler.plan.draft import Draft
from reconciler.plan.rollbacks import DIVERGED, NoRollback, Rollback, rollback_of
from reconciler.plan.world import World
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


def waits_for_its_segment(world: World, draft: Draft, campaign: str) -> bool:
    """Is a segment begun by this plan, or in the way of what was asked for? Then nothing is launched."""
    if any(action.campaign == campaign for action in draft.actions(BeginSegment)):
        return True
    if any(one.campaign == campaign and one.failure_class == DIVERGED for one in draft.actions(CloseRun)):
        return True  # what follows from that is planned once it is written down
    row = world.facts.campaign_row(campaign)
    return row is not None and rollback_of(world, row) is not None


def _plan(world: World, draft: Draft, row: CampaignRow) -> None:
    found = rollback_of(world, row)
    if isinstance(found, NoRollback):
        subject = f"campaign/{row.name}"
        draft.block(subject, code=found.code, message=found.message, cause=found.cause, hint=found.hint)
    elif found is not None and not world.is_training(row.name):
        _begin(world, draft, row, found)


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
        reason=rollback.reason,
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
