"""Out of the trash again: what people ask back, and deleted campaigns that their specs want again.

A campaign that its spec wants comes back by itself, as by `undelete`. So its deletion is over, whatever
becomes of the spec later: another `state: deleted` needs another approval and has another time of grace, and
without a spec the campaign stays as any other. Of one that cannot come back now its tombstone keeps that.
"""

from reconciler.plan.actions import CallOffDeletion, RestoreCheckpoint
from reconciler.plan.actions.base import of_tombstone
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import whole_copies
from reconciler.plan.keeping.held_back import is_wanted_back, is_wanted_by_its_spec
from reconciler.plan.trash.contents import is_cut_short, is_vanished
from reconciler.plan.world import World
from state.store.rows import TrashRow


def plan_undeletes(world: World, draft: Draft) -> None:
    """Take back what people asked for, oldest request first."""
    for request in world.facts.store.requests:
        if request.kind != "undelete":
            continue
        stone = _newest_stone(world, request.campaign)
        is_gone = stone is not None and stone.state == "purged"
        draft.add(
            RestoreCheckpoint(
                request_id=request.id,
                checkpoint=request.campaign,
                sequence=stone.sequence if stone else None,
                campaign_uid=stone.campaign_uid if stone else None,
                asked_by=request.asked_by,
                overrules=world.cleanup_line(stone.campaign) if stone else None,
                sources=_copies(world, stone) if stone and is_gone else (),
            ),
            subject=f"{'checkpoint' if '@' in request.campaign else 'campaign'}/{request.campaign}",
            reason=f"{request.asked_by} asked for it: {request.why}",
            cause=f"reconcile undelete at {request.asked_at}",
            source="request",
        )


def _newest_stone(world: World, checkpoint: str) -> TrashRow | None:
    there = [one for one in world.facts.store.trash if one.thing == checkpoint]
    waiting = [one for one in reversed(there) if one.state == "trashed"]
    trashed = min(waiting, key=lambda one: one.keeps is not None, default=None)  # what is dropped comes first
    return trashed or next((one for one in reversed(there) if _copies(world, one)), None)


def _copies(world: World, stone: TrashRow) -> tuple[str, ...]:
    """Return where whole copies lie of what was deleted here for good."""
    if stone.state != "purged":
        return ()
    return tuple(one.path for one in whole_copies(world.facts, stone))


def plan_wanted_again(world: World, draft: Draft) -> None:
    """Take back what was deleted whole and is wanted again, but for what a person asks back anyway."""
    asked = {action.sequence for action in draft.actions(RestoreCheckpoint)}
    for stone in world.facts.in_trash:
        if stone.sequence in asked or not is_wanted_back(world, stone):
            continue
        if _can_come_back(world, stone):
            draft.add(
                RestoreCheckpoint(
                    checkpoint=stone.thing,
                    sequence=stone.sequence,
                    campaign_uid=stone.campaign_uid,
                ),
                subject=stone.subject,
                reason=wanted_in_words(world, stone),
                cause=wanted_where(world, stone),
                source="edit",
            )
        elif _may_be_called_off(world, stone):
            draft.add(
                CallOffDeletion(
                    **of_tombstone(stone),
                    is_mirrored=world.facts.trash.problem is None,
                ),
                subject=stone.subject,
                reason=wanted_in_words(world, stone),
                cause=wanted_where(world, stone),
                source="edit",
            )


def wanted_in_words(world: World, stone: TrashRow) -> str:
    """Say that a deleted campaign is wanted again, in the archive perhaps, or was and nobody wants it now."""
    if not is_wanted_by_its_spec(world, stone):
        return "its spec wanted it since"
    source = world.desired.campaigns.get(stone.campaign)
    is_archived = source is not None and source.spec.state == "archived"
    return "its spec wants it, archived: it goes to the archive next" if is_archived else "its spec wants it"


def wanted_where(world: World, stone: TrashRow) -> str:
    """Return the line that says so; without a spec where the campaign lies."""
    return world.where(stone.subject) if stone.campaign in world.desired.campaigns else stone.path


def _may_be_called_off(world: World, stone: TrashRow) -> bool:
    """May it lie in the trash, where nothing says yet that its deletion is over?

    An older copy of the store is not written to.
    """
    facts = world.facts
    is_said = stone.state != "trashed" or stone.wanted_at is not None
    is_nowhere = facts.trash.problem is None and is_vanished(facts, stone)
    return not (is_said or is_nowhere or facts.store.older_copy is not None)


def _can_come_back(world: World, stone: TrashRow) -> bool:
    """Lies it at one place alone: in the trash, or, where a kill cut its deletion short, still at home?"""
    facts = world.facts
    if stone.state != "trashed" or facts.trash.problem is not None or facts.store.older_copy is not None:
        return False
    lies_in_trash = not is_vanished(facts, stone) and world.seen(stone.campaign).home == "missing"
    return lies_in_trash or is_cut_short(world, stone)
