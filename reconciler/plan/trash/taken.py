"""A checkpoint whose name in the trash is taken: somebody copied it from there back to its place."""

from reconciler.plan.draft import Draft
from reconciler.plan.trash.names import dropped_name
from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow


def block_taken(world: World, draft: Draft, row: CampaignRow, one: LedgerRow, cause: str) -> bool:
    """Name what lies where a checkpoint would be dropped to; it stays, and no approval is used up for it."""
    name, trash = dropped_name(one), world.facts.trash
    if not any(name in places for places in (trash.folders, trash.files, trash.strange)):
        return False
    draft.block(
        f"checkpoint/{row.name}@{one.which}",
        code="trash-name-taken",
        message=f"it would be dropped, and trash/{name} has its place there, which no tombstone names: "
        "somebody copied it back",
        cause=cause,
        hint=f"move {world.facts.disk.root}/trash/{name} away: then it goes on by itself",
    )
    return True
