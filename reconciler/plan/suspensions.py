"""What is suspended says so: who, why, until when, and how to lift it. Pure.

The realm and the queue hold back everything of theirs, so each is named by itself, whether something waits
just now or not. A campaign or a hero is named where it would train.
"""

from reconciler.desired.base import Suspend, suspended_until
from reconciler.plan.changes import Blocked
from reconciler.plan.draft import Draft
from reconciler.plan.world import World

WHOLE = ("realm", "queue")
"""What is named by itself."""


def how_to_lift(world: World, thing: str) -> str:
    """Return how a suspension is lifted: by a commit, which of specs elsewhere is made in a clone of them."""
    lift, source = f"reconcile unsuspend {thing.removeprefix('campaign/')}", world.facts.source
    if source is None or source.is_local:
        return f"when it may go on: {lift}"
    return f"when it may go on, in a clone of {source.url}: {lift}, then: git push"


def suspended_campaign(world: World, campaign: str) -> Blocked | None:
    """Return the suspension that keeps a campaign from training; None: none does."""
    return _suspended(world, f"campaign/{campaign}", campaign)


def suspended_hero(world: World, hero: str) -> Blocked | None:
    """Return the suspension that keeps all campaigns of a hero from training; None: none does."""
    return _suspended(world, f"hero/{hero}", f"{hero}/")  # a campaign without a spec, hence without words


def _suspended(world: World, subject: str, campaign: str) -> Blocked | None:
    found = world.suspension(campaign)
    if found is None:
        return None
    thing, suspend = found
    return Blocked(
        subject=subject,
        code="suspended",
        message=f"{thing} is {suspend.words}",
        cause=world.where(thing, "suspend"),
        hint=how_to_lift(world, thing),
        until=suspended_until(suspend),
    )


def plan_suspension(world: World, draft: Draft) -> None:
    """Name the suspension of the whole realm."""
    block_whole(world, draft, "realm", world.desired.realm.spec.suspend)


def block_whole(world: World, draft: Draft, thing: str, suspend: Suspend | None) -> None:
    """Name the suspension of the realm or the queue, where it counts now."""
    if suspend is not None and world.is_suspended(suspend):
        draft.block(
            thing,
            code="suspended",
            message=suspend.words,
            cause=world.where(thing, "suspend"),
            hint=how_to_lift(world, thing),
            until=suspended_until(suspend),
        )
