"""Whose suspension leaves a campaign's checkpoints and trash as they are: the rules', or that of a spec."""

import msgspec

from reconciler.desired.base import Suspend, suspended_until
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.store.rows import TrashRow


class Suspended(msgspec.Struct, frozen=True):
    """What is suspended."""

    thing: str
    """`retention`, or a thing as `World.suspension` names it."""
    suspend: Suspend
    cause: str
    """File and line."""


def suspension_of(world: World, campaign: str) -> Suspended | None:
    """Return what keeps every checkpoint of a campaign where it lies; None: nothing does."""
    retention = world.retention
    if retention is not None and (suspend := retention.spec.suspend) and world.is_suspended(suspend):
        return Suspended("retention", suspend, retention.where("suspend"))
    if (found := world.suspension(campaign)) is None:
        return None
    thing, suspend = found
    return Suspended(thing, suspend, world.where(thing, "suspend"))


def is_suspended(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Is its campaign suspended, or are the rules? Then it is named; half deleted already, it goes on.

    Its time in the trash is counted on meanwhile.
    """
    found = suspension_of(world, stone.campaign) if stone.state == "trashed" else None
    if found is not None:
        draft.block(
            stone.subject,
            code="suspended",
            message=f"it is not deleted for good meanwhile: {found.thing} is {found.suspend.words}",
            cause=found.cause,
            hint=f"reconcile unsuspend {found.thing.removeprefix('campaign/')}",
            until=suspended_until(found.suspend),
        )
    return found is not None
