"""The trash is emptied: what has lain there for its time, and that nobody doubts, is deleted for good."""

from collections.abc import Iterator, Mapping

from reconciler.plan.actions import (
    BringBackCheckpoint,
    DeleteCampaign,
    MoveOutCheckpoint,
    PurgeTrash,
    RestoreCheckpoint,
    TrashCheckpoint,
)
from reconciler.plan.actions.base import of_tombstone
from reconciler.plan.changes import NOT_BROUGHT_BACK
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import whole_copies
from reconciler.plan.keeping.held_back import is_held_back
from reconciler.plan.keeping.kept_again import goes_once_restored, is_kept_again
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.keeping.suspended import is_suspended
from reconciler.plan.keeping.unasked import is_unasked
from reconciler.plan.observed_time import is_over
from reconciler.plan.trash.doubts import ACKNOWLEDGE, Doubt
from reconciler.plan.trash.drops import doubt_about, is_doubtful
from reconciler.plan.trash.names import is_replaced as is_replaced_in_trash
from reconciler.plan.trash.unrecorded import block_unrecorded
from reconciler.plan.world import World
from state.amounts import duration
from state.store.rows import TrashRow

CLEAN_TICKS = 2
"""So many ticks without a failure must follow before anything dropped is deleted."""


def plan_purges(world: World, draft: Draft) -> None:
    """Delete what has lain in the trash for its time of grace, and has seen two clean ticks since."""
    if world.facts.trash.problem is not None:
        return
    held = {action.sequence for action in draft.actions(RestoreCheckpoint)} | _being_dropped(draft)
    held |= draft.held_drops | block_unrecorded(world, draft)
    coming_back = {action.campaign_uid for action in draft.actions(BringBackCheckpoint)}
    stuck = {item.subject for item in draft.blocked if item.code == NOT_BROUGHT_BACK}
    waiting = (
        one
        for one in world.facts.in_trash
        if one.sequence not in held and one.subject not in stuck and one.campaign_uid not in coming_back
    )
    doubts = _doubts(world, draft)
    free = {stone.sequence for stone in waiting if not _stays(world, draft, stone, doubts)}
    if draft.unasked:
        from reconciler.plan.trash.unasked import warn_of_unasked  # seldom needed

        warn_of_unasked(world, draft)
    if draft.once_restored:
        from reconciler.plan.trash.unasked import warn_of_restored  # seldom needed

        warn_of_restored(world, draft)
    for stone in due(world):
        if stone.sequence not in free or world.may_be_misnamed(stone.campaign):
            continue
        if not _block_the_only_one(world, draft, stone):
            draft.add(
                PurgeTrash(
                    **of_tombstone(stone),
                    path=stone.path,
                    size_bytes=stone.size_bytes,
                ),
                subject=stone.subject,
                reason=f"its {duration(stone.grace_seconds)} in the trash are over",
                cause=stone.path,
                source="rules",
            )


def _doubts(world: World, draft: Draft) -> dict[str, Doubt | None]:
    """Return the doubt about each campaign that has something in the trash, by uid; looked for once each."""
    uids = {stone.campaign_uid for stone in world.facts.in_trash}
    rows = (row for row in world.facts.store.campaigns if row.uid in uids)
    stuck = _not_brought_back(world, draft)
    return {row.uid: stuck.get(row.uid) or doubt_about(world, draft, stock_of(world, row)) for row in rows}


def _not_brought_back(world: World, draft: Draft) -> dict[str, Doubt]:
    """Return the doubt about each campaign of which something could not be brought back: it may be lost."""
    stuck = {item.subject for item in draft.blocked if item.code == NOT_BROUGHT_BACK}
    stones = (one for of_one in world.facts.moved_out.values() for one in of_one if one.subject in stuck)
    return {one.campaign_uid: Doubt(f"{one.thing} could not be brought back", ACKNOWLEDGE) for one in stones}


def _stays(world: World, draft: Draft, stone: TrashRow, doubts: Mapping[str, Doubt | None]) -> bool:
    """Is it protected, replaced by something else, or mixed with what is not ours? Then that is named."""
    return (
        is_held_back(world, draft, stone)
        or goes_once_restored(world, draft, stone)
        or is_unasked(world, draft, stone)
        or is_doubtful(draft, stone, doubts.get(stone.campaign_uid))
        or _block_replaced(world, draft, stone)
        or _block_strange(world, draft, stone)
        or is_kept_again(world, draft, stone)
        or is_suspended(world, draft, stone)
    )


def _block_replaced(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Name what has the place of something in the trash and is no folder: a link, a file, a device."""
    is_replaced = is_replaced_in_trash(world.facts, stone)
    if is_replaced:
        draft.block(
            stone.subject,
            code="replaced-in-the-trash",
            message=f"{stone.path} is no folder any more: something else has its place; nothing is deleted",
            cause=stone.path,
            hint="move that away and put the folder back; without either it counts as deleted",
        )
    return is_replaced


def _block_strange(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Name what is not ours in something whose time is over: it is never deleted, so all of it stays."""
    strange = world.facts.strange.get(stone.path)
    if strange is not None:
        draft.block(
            stone.subject,
            code="not-ours-in-the-trash",
            message=f"it stays in the trash, which holds what is not ours: {strange}",
            cause=stone.path,
            hint=f"move that out of {stone.path}, or take all of it back: reconcile undelete {stone.thing}",
        )
    return strange is not None


def _block_the_only_one(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Name what was moved out and of which no copy is known to be right: it is the only one.

    While copies may lie where nobody could look, that is said of all of them at once.
    """
    if not stone.is_moved or whole_copies(world.facts, stone):
        return False
    if not world.facts.store.unseen_places:
        draft.block(
            stone.subject,
            code="only-copy-in-the-trash",
            message="it stays in the trash: it was moved out of the root, and no copy is known to be right",
            cause=stone.path,
            hint=f"take it back: reconcile undelete {stone.thing}",
        )
    return True


def _being_dropped(draft: Draft) -> set[int]:
    checkpoints = {action.sequence for action in draft.actions(TrashCheckpoint)}
    checkpoints |= {action.sequence for action in draft.actions(MoveOutCheckpoint)}
    return checkpoints | {action.sequence for action in draft.actions(DeleteCampaign)}


def due(world: World) -> Iterator[TrashRow]:
    """Yield what may be deleted now, by observed time."""
    store = world.facts.store
    now = world.observed_now
    for stone in world.facts.in_trash:
        is_clean = store.clean_ticks - stone.clean_ticks >= CLEAN_TICKS
        if is_over(stone, now) and (stone.state == "purging" or is_clean):
            yield stone
