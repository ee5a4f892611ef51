"""Checkpoints of archived campaigns lie elsewhere, where the rules say so (`archive: {to: ...}`).

Each is copied there like any other copy, and read back. Only then the one in the root goes to the trash, with
a tombstone that says that the copy stands for it. What the rules are about to drop, what somebody begins with
and what people took back stays where it is; so does all of it while anything about the campaign is in doubt.
"""

from collections.abc import Iterator

from reconciler.desired.desired import Source
from reconciler.desired.realm import duration_seconds
from reconciler.desired.retention import Retention
from reconciler.plan.actions import (
    DemoteCheckpoint,
    MoveOutCheckpoint,
    RenameCampaign,
    RestoreCampaign,
    RestoreCheckpoint,
    TrashCheckpoint,
)
from reconciler.plan.actions.base import of_recorded
from reconciler.plan.changes import WAITS
from reconciler.plan.copies.places import copy_action, is_copied, plan_copy
from reconciler.plan.copies.second_copies import precious
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import whole_copies
from reconciler.plan.keeping.kept import checkpoint_id, drops_of
from reconciler.plan.keeping.optimizers import without_need
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.retention.records import MalformedRecords
from reconciler.plan.retries.held import held_back
from reconciler.plan.trash.doubts import forgotten
from reconciler.plan.trash.drops import why_on_hold
from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow


def plan_moves_out(world: World, draft: Draft) -> None:
    """Copy what archived campaigns have here to where the rules want it, and let go what lies there."""
    retention = world.retention
    if retention is None or world.is_suspended(retention.spec.suspend):
        return
    moving = {one.campaign for one in draft.actions(RestoreCampaign)}
    moving |= {one.campaign for one in draft.actions(RenameCampaign)}
    for row in world.facts.store.campaigns:
        if row.status == "archived" and row.name not in moving and rests_in_the_archive(world, row):
            stock = stock_of(world, row)
            if not stock.complete or why_on_hold(world, draft, stock) or forgotten(world, stock):
                continue
            _finish(world, draft, stock)
            if retention.spec.archive is not None and not _is_needed_here(world, draft, row):
                _move_out(world, draft, stock, retention)


def rests_in_the_archive(world: World, row: CampaignRow) -> bool:
    """Does its spec want it in the archive, whole, and does it lie there?"""
    is_wanted = row.name in world.desired.campaigns and world.wants_archived(row)
    is_free = not world.wants_cleanup(row) and world.suspension(row.name) is None
    return is_wanted and is_free and world.seen(row.name).home == "home"


def _is_needed_here(world: World, draft: Draft, row: CampaignRow) -> bool:
    """Say who is still to begin with one of its checkpoints, if somebody is; or wait for an export of it."""
    waiting = (
        (name, checkpoint)
        for name, checkpoint in world.starting_points.get(row.name, ())
        if (other := world.facts.campaign_row(name)) is None or other.starting_digest is None
    )
    if (found := next(waiting, None)) is not None:
        draft.block(
            f"campaign/{row.name}",
            code=WAITS,
            message=f"its checkpoints stay in the root until {found[0]} has begun with {found[1]}",
            cause=_cause(world),
            hint="it goes on by itself",
        )
        return True
    open_exports = (one for one in world.facts.store.requests if one.kind == "export")
    return any(one.campaign.partition("@")[0] == row.name for one in open_exports)


def _cause(world: World) -> str:
    retention = world.retention
    return retention.where("archive") if retention is not None else "specs/retention.yaml"


def _move_out(world: World, draft: Draft, stock: Stock, retention: Source[Retention]) -> None:
    spec = retention.spec
    needed = spec.copies.min_copies if spec.copies is not None else 1
    most = precious(world, stock, spec) if needed > 1 else {}
    for one in _movable(world, draft, stock, spec):
        _plan_one(world, draft, stock, one, retention, needed if one in most else 1)


def _movable(world: World, draft: Draft, stock: Stock, spec: Retention) -> Iterator[LedgerRow]:
    """Yield what the rules keep for good as it lies there now, oldest record first."""
    try:
        dropped = drops_of(world, stock)
        lighter = {one.sequence for one in without_need(world, stock, spec)}
    except MalformedRecords:
        return  # the rules have said so
    going: set[int | None] = {action.sequence for action in draft.actions(RestoreCheckpoint)}
    going |= {action.sequence for action in draft.actions(TrashCheckpoint)}
    going |= {action.sequence for action in draft.actions(DemoteCheckpoint)}
    going |= lighter | {stone.sequence for stone in world.facts.taken_back.get(stock.row.uid, ())}
    age = duration_seconds(spec.minimum_age)
    for one in stock.kept:
        is_dropped = checkpoint_id(stock.row, one, gone=False) in dropped
        is_young = world.observed_now - one.recorded_at_seconds < age
        if stock.is_there(one) and not is_dropped and not is_young and one.sequence not in going:
            yield one


def _plan_one(
    world: World, draft: Draft, stock: Stock, one: LedgerRow, retention: Source[Retention], needed: int
) -> None:
    """Copy it there, or let it go once enough copies lie elsewhere."""
    archive, cause = retention.spec.archive, retention.where("archive")
    if archive is None:
        return
    if is_copied(world, stock.row, one, archive.to):
        if len(whole_copies(world.facts, one)) >= needed:
            grace = duration_seconds(retention.spec.trash.rolled)
            _plan_move(world, draft, stock.row, one, "archived, and read back elsewhere", grace, cause)
        return
    action = copy_action(world, stock.row, one, archive.to, "archive")
    if held := held_back(world, action):
        draft.block(
            f"checkpoint/{stock.row.name}@{one.which}",
            code="copy-failed",
            message=f"it stays in the root: no copy in {archive.to}: {held.why}",
            cause=cause,
            hint=f"mend that{held.at_once}",
        )
    else:
        reason = "archived: once it is read back there, the one in the root goes to the trash"
        plan_copy(draft, action, reason=reason, cause=cause, source="rules")


def _finish(world: World, draft: Draft, stock: Stock) -> None:
    """Move what has its tombstone already and still lies in its place: a kill came between the two."""
    stones = {stone.sequence: stone for stone in world.facts.moved_out.get(stock.row.uid, ())}
    for one in stock.ledger if stones else ():
        stone = stones.get(one.sequence)
        if stone is not None and stone.state == "trashed" and one.digest in stock.there:
            grace, cause = stone.grace_seconds, "an earlier move"
            _plan_move(world, draft, stock.row, one, stone.reason, grace, cause)


def _plan_move(
    world: World, draft: Draft, row: CampaignRow, one: LedgerRow, why: str, grace_seconds: float, cause: str
) -> None:
    draft.add(
        MoveOutCheckpoint(
            **of_recorded(row.name, one),
            digest=one.digest,
            size_bytes=one.size_bytes,
            copies=tuple(copy.path for copy in whole_copies(world.facts, one)),
            why=why,
            grace_seconds=grace_seconds,
        ),
        subject=f"checkpoint/{row.name}@{one.which}",
        reason=why,
        cause=cause,
        source="rules",
    )
