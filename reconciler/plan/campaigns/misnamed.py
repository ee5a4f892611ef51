"""Specs whose name, or `was:`, says that two campaigns are one, or leaves in doubt which it is."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from reconciler.desired.base import NO_FORMER_NAME
from reconciler.desired.mistakes import nearest_name
from reconciler.plan.campaigns.renames import unknown_names, without_spec
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.store.rows import CampaignRow


class _Misnamed(NamedTuple):
    """A spec, what is wrong with its name, and the ways out."""

    campaign: str
    message: str
    hint: str


def without_misnamed(world: World, draft: Draft) -> World:
    """Name each of them; return the world without them.

    Nothing is created for such a spec, and what lost its own stays as it is meanwhile; all else is planned.
    """
    found = [*_named_again(world), *_never_was(world), *_taken_names(world)]
    for one in found:
        subject = f"campaign/{one.campaign}"
        key = ("was",) if world.desired.campaigns[one.campaign].spec.was else ()
        cause = world.where(subject, *key)
        draft.block(subject, code="name-taken", message=one.message, cause=cause, hint=one.hint)
    names = [one.campaign for one in found]
    if world.facts.unsaid:
        from reconciler.plan.campaigns.unsaid import plan_unsaid  # seldom needed

        names += plan_unsaid(world, draft)
    if not names:
        return world
    campaigns = dict(world.desired.campaigns)
    misnamed = {name: campaigns.pop(name) for name in dict.fromkeys(names)}
    desired = msgspec.structs.replace(world.desired, campaigns=campaigns)
    return msgspec.structs.replace(world, desired=desired, misnamed=misnamed)


def _named_again(world: World) -> Iterator[_Misnamed]:
    """Yield each new spec with a name that a campaign had before."""
    taken = {name: row for row in world.facts.store.campaigns for name in row.former}
    for name in unknown_names(world.desired, world.facts.store) if taken else ():
        if (row := taken.get(name)) is not None:
            yield _Misnamed(
                name,
                f"{row.name} had this name before: its folder may have it still, and no new one gets it",
                f"give the new campaign another id: reconcile new campaign {name.partition('/')[0]}",
            )


def _never_was(world: World) -> Iterator[_Misnamed]:
    """Yield what says `was:` of a campaign that has another spec, or of none while one has lost its spec."""
    store = world.facts.store
    left = [row.name for row in without_spec(world.desired, store)]
    gone = {name: row.name for row in _gone_for_good(world) for name in (*row.former, row.name)}
    now = {name: row.name for row in store.campaigns for name in row.former}
    for name in unknown_names(world.desired, store) if left or now or gone else ():
        was = world.desired.campaigns[name].spec.was
        if was == NO_FORMER_NAME:
            continue
        if was is not None and was in gone:
            message = f"its spec says was: {was}, which was deleted for good"
            yield _Misnamed(name, message, "write was: none: it begins anew then")
        elif was is not None and was in now:
            message = f"its spec says was: {was}, which is {now[was]} by now, and has a spec"
            yield _Misnamed(name, message, "write was: none: it begins anew then")
        elif was is not None and left:
            near = nearest_name(was, left)
            meant = f"; did you mean was: {near}?" if near else ""
            message = f"its spec says was: {was}, which is no campaign without a spec"
            hint = f"those without one: {', '.join(left)}{meant}; or write was: none: it begins anew then"
            yield _Misnamed(name, message, hint)


def _gone_for_good(world: World) -> Iterator[CampaignRow]:
    """Yield the campaigns that were deleted and lie in the trash no more."""
    for row in world.facts.store.campaigns:
        stone = world.facts.deletion(row.uid) if row.status == "deleted" else None
        if stone is not None and stone.state == "purged":
            yield row


def _taken_names(world: World) -> Iterator[_Misnamed]:
    """Yield each spec that was another campaign's, and has a name that is not free."""
    for one in world.facts.unfollowed:
        if one.is_deleted:
            said = "its spec says was:" if one.is_said else "its file was that of"
            yield _Misnamed(
                one.new,
                f"{said} {one.old}, which is deleted, and lies in the trash",
                f"reconcile undelete {one.old}: then it goes on under this name; "
                "or write was: none: it begins anew then",
            )
        elif one.is_said:
            yield _Misnamed(
                one.new,
                f"its spec says was: {one.old}, while {one.new} is another campaign, which moves nowhere",
                f"remove that line if it is {one.new} itself; else give it a free name: git mv, and its id",
            )
        else:
            yield _Misnamed(
                one.new,
                f"its file was that of {one.old}, as it seems, and {one.new} is, or was, another campaign's: "
                "nothing says for sure whose weights go on here",
                f"write was: {one.old} if it is {one.old}; was: none if its name says what it is",
            )
