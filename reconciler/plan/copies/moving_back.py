"""What was moved out of the root comes back: with its campaign, or when its copy is damaged in time.

A campaign is restored once all of it is back, so that training never goes on from an earlier checkpoint
meanwhile. What a person has acknowledged to be lost is not waited for.
"""

from collections.abc import Iterator

from reconciler.plan.actions import BringBackCheckpoint
from reconciler.plan.changes import NOT_BROUGHT_BACK, Source
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import whole_copies
from reconciler.plan.retries.held import held_back
from reconciler.plan.trash.contents import is_vanished
from reconciler.plan.unseen_places import AGAIN
from reconciler.plan.world import World
from state.store.rows import CampaignRow, TrashRow


def plan_moves_back(world: World, draft: Draft) -> None:
    """Bring back what is to lie in the root again."""
    for row in world.facts.store.campaigns:
        if row.status != "deleted" and row.name in world.desired.campaigns:
            for stone in world.facts.moved_out.get(row.uid, ()):
                if _comes_back(world, row, stone):
                    _plan_one(world, draft, row, stone)


def not_coming(world: World, draft: Draft, row: CampaignRow) -> list[TrashRow]:
    """Return what of the campaign is elsewhere and is not brought back by this plan."""
    coming = {one.sequence for one in draft.actions(BringBackCheckpoint)}
    return [stone for stone in _away(world, row) if stone.sequence not in coming]


def is_elsewhere(world: World, campaign: str) -> bool:
    """Is a checkpoint of the campaign elsewhere? Then the next plan knows what to go on from."""
    row = world.facts.campaign_row(campaign) if world.facts.store.trash else None
    return row is not None and any(_away(world, row))


def _away(world: World, row: CampaignRow) -> Iterator[TrashRow]:
    """Yield what of a campaign is elsewhere, and not acknowledged to be lost."""
    for stone in world.facts.moved_out.get(row.uid, ()):
        if stone.thing not in world.acknowledged_losses:
            yield stone


def _comes_back(world: World, row: CampaignRow, stone: TrashRow) -> bool:
    """Is it to lie in the root again? So is what was called lost where it only lies in the trash."""
    if stone.thing not in world.acknowledged_losses:
        return not world.wants_archived(row) or _has_lost_its_copies(world, stone)
    is_whole_there = stone.damage is None and not is_vanished(world.facts, stone)
    return is_whole_there and _has_lost_its_copies(world, stone)


def _has_lost_its_copies(world: World, stone: TrashRow) -> bool:
    """Is no copy of it right any more, while it still lies in the trash?

    While one may lie where nobody could look, that is not known, and it stays where it is.
    """
    is_known = not world.facts.store.unseen_places
    return is_known and stone.state == "trashed" and not whole_copies(world.facts, stone)


def _may_lie_unseen(world: World, stone: TrashRow) -> bool:
    """Is it neither in the trash nor in a copy that is known, while nobody could look everywhere?"""
    is_here = stone.state == "trashed" and not is_vanished(world.facts, stone)
    return bool(world.facts.store.unseen_places) and not is_here and not whole_copies(world.facts, stone)


def _block_unseen(world: World, draft: Draft, stone: TrashRow) -> None:
    draft.block(
        stone.subject,
        code=NOT_BROUGHT_BACK,
        message=f"it may lie where nobody could look: {world.facts.store.unseen_places[0]}",
        cause=stone.path,
        hint=AGAIN,
    )


def _plan_one(world: World, draft: Draft, row: CampaignRow, stone: TrashRow) -> None:
    if _may_lie_unseen(world, stone):
        _block_unseen(world, draft, stone)
        return
    copies = sorted(world.facts.copies_of(stone.sequence), key=lambda copy: copy.damage is not None)
    action = BringBackCheckpoint(
        campaign=row.name,
        campaign_uid=row.uid,
        sequence=stone.sequence,
        segment=stone.segment,
        step=stone.step,
        digest=stone.digest,
        size_bytes=stone.size_bytes,
        sources=tuple(copy.path for copy in copies),
    )
    is_restored = not world.wants_archived(row)
    cause = world.where(f"campaign/{row.name}") if is_restored else stone.path
    if held := held_back(world, action):
        hint = f"mend that, or list it under acknowledged_losses{held.at_once}"
        message = f"it was not brought back: {held.why}"
        draft.block(stone.subject, code=NOT_BROUGHT_BACK, message=message, cause=cause, hint=hint)
        return
    lost = "no copy of it elsewhere is right any more" if copies else "no copy of it elsewhere is known"
    reason = "its campaign leaves the archive" if is_restored else lost
    source: Source = "edit" if is_restored else "drift"
    draft.add(action, subject=stone.subject, reason=reason, cause=cause, source=source)
