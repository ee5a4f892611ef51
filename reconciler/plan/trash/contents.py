"""What lies in the trash, beside the tombstones that say what should: ours, vanished, or foreign. Pure.

What no tombstone names is foreign: it is shown and never purged. A tombstone whose mirror in the trash is
missing is written again: from the mirrors the store could be made anew.
"""

from collections.abc import Iterator

from reconciler.observed.facts import Facts
from reconciler.plan.actions import (
    DeleteCampaign,
    PurgeTrash,
    RestoreCheckpoint,
    TrashCheckpoint,
    WriteTombstone,
)
from reconciler.plan.actions.base import of_tombstone
from reconciler.plan.draft import Draft
from reconciler.plan.trash.names import dropped_since, folder_name, stones_since
from reconciler.plan.world import World
from state.ids import contents_digest
from state.store.rows import TrashRow


def plan_tombstones(world: World, draft: Draft) -> None:
    """Write the tombstones again that are missing in the trash; say so where it cannot be looked into."""
    if (problem := world.facts.trash.problem) is not None:
        if any(one.path == "trash" for one in world.facts.obstacles):
            return  # what stands in its place is named as such
        draft.block(
            "trash",
            code="trash-unreadable",
            message=f"nothing of it is deleted: {problem}",
            cause="trash",
            hint="make it a folder that this user can read",
        )
        return
    written = {
        change.action.sequence
        for change in draft.changes
        if isinstance(change.action, (TrashCheckpoint, DeleteCampaign, RestoreCheckpoint, PurgeTrash))
    }
    for stone in unwritten(world.facts):
        if stone.sequence in written:
            continue
        draft.add(
            WriteTombstone(
                **of_tombstone(stone),
                path=stone.path,
            ),
            subject=stone.subject,
            reason="it is missing in the trash",
            cause=f"{stone.path}.json",
            source="drift",
        )


def unwritten(facts: Facts) -> list[TrashRow]:
    """Return the tombstones that the trash has no mirror of."""
    return [stone for stone in facts.store.trash if _mirror(stone) not in facts.trash.files]


def num_in_trash(facts: Facts) -> tuple[int, int, int]:
    """Return how many campaigns deleted whole, single checkpoints, and optimizer states alone wait there."""
    num_campaigns = sum(stone.is_campaign for stone in facts.in_trash)
    num_optimizers = sum(stone.keeps is not None for stone in facts.in_trash)
    return num_campaigns, len(facts.in_trash) - num_campaigns - num_optimizers, num_optimizers


def is_vanished(facts: Facts, stone: TrashRow) -> bool:
    """Does a tombstone say that something waits in the trash, and it does not lie there any more?"""
    return stone.state == "trashed" and folder_name(stone) not in facts.trash.folders


def is_cut_short(world: World, stone: TrashRow) -> bool:
    """Lies a deleted campaign, all of it, in its place still? A kill came before it was moved."""
    seen = world.seen(stone.campaign)
    if seen.home == "missing" or not is_vanished(world.facts, stone):
        return False
    return contents_digest(found.digest for found in seen.all_complete) == stone.digest


def foreign(facts: Facts) -> Iterator[str]:
    """Yield the names in the trash that no tombstone gives a reason to be there, sorted."""
    since = dropped_since(facts) | stones_since(facts)
    folders = {folder_name(stone) for stone in facts.in_trash} | since
    files = {_mirror(stone) for stone in facts.store.trash}
    seen = facts.trash
    yield from sorted((seen.folders | (seen.files - files) | seen.strange) - folders)


def _mirror(stone: TrashRow) -> str:
    return f"{folder_name(stone)}.json"
