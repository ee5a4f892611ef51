"""What is suspended says so: who, why, until when, and how to lift it. Pure.

The realm and the queue hold back everything of theirs, so each is named by itself, whether something waits
just now or not. A campaign or a hero is named where it would train, or something would be done for it.
"""

from reconciler.desired.base import Suspend, suspended_until
from reconciler.plan import actions as a
from reconciler.plan.changes import Blocked, Change
from reconciler.plan.draft import Draft
from reconciler.plan.world import World

WHOLE = ("realm", "queue")
"""What is named by itself."""
_RESTS = (
    *(a.RegisterCampaign, a.ActivateCampaign, a.ArchiveCampaign, a.RestoreCampaign),
    *(a.TakeOverCheckpoint, a.ImportCheckpoint, a.BringBackCheckpoint),
    *(a.EnqueueJob, a.UpdateJob, a.DequeueJob),
)
"""What is not done for a suspended campaign, beside what its planners hold. Books are kept, and what people
ask for is done."""
_FETCHES = (a.SnapshotFile, a.GenerateQuest)
"""Content of quests: always for the active campaign."""
_OF_THE_REALM = (*_RESTS, *_FETCHES, a.DeactivateCampaign, a.SnapshotHeldOut, a.TakeInboxFile)
"""What is not done while the whole realm is suspended."""


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
    """Take out what waits while the realm, a hero or a campaign is suspended; what is in its way stays."""
    if not world.suspends:
        return
    held = [change for change in draft.changes if _rests(world, change)]
    if held:
        draft.take_out(held)
        draft.settled -= {change.subject for change in held}
        resting = {name for change in held if (name := _campaign_of(world, change)) is not None}
        draft.afterwards = [one for one in draft.afterwards if _campaign_of(world, one) not in resting]
        for campaign in sorted(resting):
            block_suspended(world, draft, campaign)


def _rests(world: World, change: Change) -> bool:
    is_asked = isinstance(change.action, a.BringBackCheckpoint) and change.source == "request"
    if is_asked or not isinstance(change.action, _OF_THE_REALM):
        return False
    if world.is_realm_suspended:
        return True
    campaign = _campaign_of(world, change)
    return isinstance(change.action, (*_RESTS, *_FETCHES)) and campaign in world.resting


def _campaign_of(world: World, change: Change) -> str | None:
    name: str | None = getattr(change.action, "campaign", None)
    return world.active if isinstance(change.action, _FETCHES) else name


def block_suspended(world: World, draft: Draft, campaign: str) -> bool:
    """Name what suspends a campaign, if anything does; that of the realm, or the queue, is said by itself."""
    found, told = world.suspension(campaign), suspended_campaign(world, campaign)
    if found is None or told is None:
        return False
    if found[0] not in WHOLE:
        draft.blocked.append(told)
    return True


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
