"""Everything that keeps a campaign from training, with what people said against it lifted in thought. Pure.

A plan names the first thing that holds a launch back, and little of a campaign that is not active: whoever
lifts that meets the next one. So each such word is taken out of the world (another campaign is active, it is
suspended or held, its goal is reached), and the planner is asked what is in the way then.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from reconciler.desired.base import Spec
from reconciler.desired.desired import Source
from reconciler.plan.changes import Blocked
from reconciler.plan.draft import Draft
from reconciler.plan.planner import make_plan
from reconciler.plan.runs.blockers import block_held
from reconciler.plan.suspensions import suspended_campaign
from reconciler.plan.world import World

T = TypeVar("T", bound=Spec)
NOT_ACTIVE = "not-active"
"""The code of a campaign that does not train because another one is active, or none."""


class Lifted(NamedTuple):
    """A world in which nobody's word keeps a campaign from training."""

    words: tuple[Blocked, ...]
    """What was lifted for that, all of it: each is in the way by itself."""
    world: World


def lifted(world: World, campaign: str) -> Lifted:
    """Return the world without the words against a campaign; of one that is at rest for good, as it is."""
    source = world.desired.campaigns.get(campaign)
    if source is None or source.spec.state is not None:
        return Lifted((), world)
    words: list[Blocked] = []
    while (word := _word_against(world, campaign)) is not None:
        words.append(word)
        world = _LIFTS[word.code](world, campaign)
    return Lifted(tuple(words), world)


def blocked_in(world: World, campaign: str) -> tuple[Blocked, ...]:
    """Return what a plan of this world names, with what comes behind a goal that the campaign has reached."""
    blocked = _planned(world)
    goal = next((one for one in blocked if is_its_goal(one, campaign)), None)
    if goal is None:
        return blocked
    beyond = _planned(_with_spec(world, campaign, goal=None))
    return (goal, *beyond)


def _planned(world: World) -> tuple[Blocked, ...]:
    return make_plan(world.desired, world.facts, specs_commit=world.specs_commit, now=world.now).blocked


def is_its_goal(item: Blocked, campaign: str) -> bool:
    """Is it said that this campaign has reached its goal while quests are waiting?"""
    return (item.subject, item.code) == (f"campaign/{campaign}", "goal-reached")


def _word_against(world: World, campaign: str) -> Blocked | None:
    """Return the first word that keeps the campaign from training."""
    if (inactive := _not_active(world, campaign)) is not None:
        return inactive
    if (suspended := suspended_campaign(world, campaign)) is not None:
        return suspended
    draft = Draft()
    return draft.blocked[0] if block_held(world, draft, campaign) else None


def _not_active(world: World, campaign: str) -> Blocked | None:
    active = world.desired.realm.spec.active
    if active == campaign:
        return None
    said = f"realm.yaml names {active}" if active else "realm.yaml names no active campaign"
    return Blocked(
        subject=f"campaign/{campaign}",
        code=NOT_ACTIVE,
        message=f"it does not train: {said}",
        cause=world.desired.realm.where("active"),
        hint=f"realm.yaml: active: {campaign}",
    )


def _made_active(world: World, campaign: str) -> World:
    realm = world.desired.realm
    spec = msgspec.structs.replace(realm.spec, active=campaign)
    return _with(world, realm=msgspec.structs.replace(realm, spec=spec))


def _unsuspended(world: World, campaign: str) -> World:
    """Lift the suspension that lasts longest; of several each is met in its turn."""
    found = world.suspension(campaign)
    kind, _, name = found[0].partition("/") if found is not None else ("", "", "")
    desired = world.desired
    match kind:
        case "campaign":
            return _with_spec(world, name, suspend=None)
        case "hero":
            hero = _without_suspension(desired.heroes[name])
            return _with(world, heroes={**desired.heroes, name: hero})
        case "queue" if desired.queue is not None:
            return _with(world, queue=_without_suspension(desired.queue))
        case _:
            return _with(world, realm=_without_suspension(desired.realm))


def _resumed(world: World, campaign: str) -> World:
    """Take a pause or stop back; what failed before that no longer counts."""
    store = world.facts.store
    rows = tuple(
        msgspec.structs.replace(row, hold=None, forgiven_at=world.now) if row.name == campaign else row
        for row in store.campaigns
    )
    holds = ("pause", "stop")
    left = tuple(one for one in store.requests if one.campaign != campaign or one.kind not in holds)
    seen = msgspec.structs.replace(store, campaigns=rows, requests=left)
    return msgspec.structs.replace(world, facts=msgspec.structs.replace(world.facts, store=seen))


_LIFTS: Mapping[str, Callable[[World, str], World]] = {
    NOT_ACTIVE: _made_active,
    "suspended": _unsuspended,
    "held": _resumed,
}
"""Code of a word → the world without it."""


def _without_suspension(source: Source[T]) -> Source[T]:
    return msgspec.structs.replace(source, spec=msgspec.structs.replace(source.spec, suspend=None))


def _with_spec(world: World, campaign: str, **changes: object) -> World:
    campaigns = world.desired.campaigns
    source = campaigns[campaign]
    spec = msgspec.structs.replace(source.spec, **changes)
    return _with(world, campaigns={**campaigns, campaign: msgspec.structs.replace(source, spec=spec)})


def _with(world: World, **parts: object) -> World:
    return msgspec.structs.replace(world, desired=msgspec.structs.replace(world.desired, **parts))
