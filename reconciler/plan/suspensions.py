"""What is suspended says so: who, why, until when, and how to lift it. Pure.

The realm and the queue hold back everything of theirs, so each is named by itself, whether something waits
just now or not. A campaign or a hero is named where it would train.
"""

from reconciler.desired.base import Suspend, suspended_until
from reconciler.plan import actions as a
from reconciler.plan.changes import Blocked, Change
from reconciler.plan.draft import Draft
from reconciler.plan.world import World

WHOLE = ("realm", "queue")
"""What is named by itself."""
_RESTS = (
    *(a.RegisterCampaign, a.ActivateCampaign, a.DeactivateCampaign, a.ArchiveCampaign, a.RestoreCampaign),
    *(a.TakeOverCheckpoint, a.ImportCheckpoint, a.BringBackCheckpoint),
    *(a.SnapshotFile, a.SnapshotHeldOut, a.GenerateQuest, a.TakeInboxFile),
    *(a.EnqueueJob, a.UpdateJob, a.DequeueJob),
)
"""What is not done while the whole realm is suspended, beside what is held for each campaign. Books are kept,
and what people ask for is done."""


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


def hold_back(world: World, draft: Draft) -> None:
    """Take out what waits while the whole realm is suspended; what is in its way stays named."""
    if world.is_realm_suspended and (held := [change for change in draft.changes if _rests(change)]):
        draft.take_out(held)
        draft.settled -= {change.subject for change in held}
        draft.afterwards = []  # nothing is archived


def _rests(change: Change) -> bool:
    is_asked = isinstance(change.action, a.BringBackCheckpoint) and change.source == "request"
    return isinstance(change.action, _RESTS) and not is_asked


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
