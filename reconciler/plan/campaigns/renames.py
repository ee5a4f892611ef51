"""A spec with another name is the same campaign: recognised by uid, never one deleted and one created.

A spec without a campaign and a campaign without a spec belong together when the spec says `was:`, when it has
a name again that the campaign had, or when git sees the file as moved. The rows are read under the new name
from the beginning of the plan, so everything else in it is about the campaign as it will be called.
"""

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.desired.base import NO_FORMER_NAME
from reconciler.desired.desired import Desired
from reconciler.desired.mistakes import nearest_name
from reconciler.observed.facts import CampaignFacts, Facts
from reconciler.observed.records import DerivedFile
from reconciler.plan.actions import RenameCampaign
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.renames import HowKnown, Rename, renamed_view
from state.store.rows import CampaignRow, StoreView

_WHY: Mapping[HowKnown, str] = {
    "said": "its spec says so",
    "back": "it has a name again that it had before",
    "moved": "git sees its file as moved",
}


def find_renames(desired: Desired, store: StoreView, moved: Mapping[str, str]) -> tuple[Rename, ...]:
    """Return the campaigns whose spec has another name now; `moved`: new name → old one, as git says.

    One that was deleted is none of them, nor is one whose old name still has a spec. What specs say goes
    before what history looks like, and of a spec that says something its word alone counts.
    """
    left = {row.name: row for row in without_spec(desired, store)}
    had = {name: row for row in left.values() for name in row.former}
    names = unknown_names(desired, store)
    said = {name: was for name in names if (was := desired.campaigns[name].spec.was) is not None}
    unsaid = [name for name in names if name not in said]
    ways: tuple[tuple[HowKnown, Mapping[str, CampaignRow | None]], ...] = (
        ("said", {name: left.get(was) or had.get(was) for name, was in said.items()}),
        ("back", {name: had.get(name) for name in unsaid}),
        ("moved", {name: left.get(moved.get(name, "")) for name in unsaid}),
    )
    found: dict[str, Rename] = {}
    for how, rows in ways:
        for name, row in rows.items():
            if row is not None and name not in found and left.pop(row.name, None) is not None:
                found[name] = Rename(campaign_uid=row.uid, old=row.name, new=name, how=how)
    return tuple(found[name] for name in names if name in found)


def is_unclear(desired: Desired, store: StoreView) -> bool:
    """May a spec that says nothing of it be that of a campaign without a spec? Only history tells."""
    known = find_renames(desired, store, {})
    unsaid = [name for name in unknown_names(desired, store) if desired.campaigns[name].spec.was is None]
    in_doubt = len(unsaid) - sum(one.how != "said" for one in known)
    return in_doubt > 0 and len(without_spec(desired, store)) > len(known)


def unknown_names(desired: Desired, store: StoreView) -> tuple[str, ...]:
    """Return the campaigns of the specs that the store does not know and that are not to be deleted."""
    known = {row.name for row in store.campaigns}
    return tuple(
        name
        for name, source in desired.campaigns.items()
        if name not in known and source.spec.state != "deleted"
    )


def without_spec(desired: Desired, store: StoreView) -> tuple[CampaignRow, ...]:
    """Return the campaigns that no spec names, but for those that were deleted."""
    return tuple(
        row for row in store.campaigns if row.name not in desired.campaigns and row.status != "deleted"
    )


def with_renames(facts: Facts, desired: Desired, moved: Mapping[str, str]) -> Facts:
    """Return the facts with each renamed campaign under its new name."""
    renames = find_renames(desired, facts.store, moved)
    for rename in renames:
        facts = _with(facts, rename)
    return msgspec.structs.replace(facts, renames=renames) if renames else facts


def _with(facts: Facts, rename: Rename) -> Facts:
    derived = facts.derived
    return msgspec.structs.replace(
        facts,
        store=renamed_view(facts.store, rename),
        campaigns={
            **{name: seen for name, seen in facts.campaigns.items() if name != rename.old},
            rename.new: facts.campaigns.get(rename.old, CampaignFacts()),
        },
        derived=msgspec.structs.replace(
            derived,
            campaign_records=_under(derived.campaign_records, rename),
            status_files=_under(derived.status_files, rename),
        ),
    )


def _under(seen: Mapping[str, DerivedFile], rename: Rename) -> dict[str, DerivedFile]:
    return {(rename.new if name == rename.old else name): one for name, one in seen.items()}


def without_misnamed(world: World, draft: Draft) -> World:
    """Name every spec whose name, or `was:`, says that two campaigns are one, or that leaves it in doubt.

    Nothing is created for such a spec, and what lost its own stays as it is meanwhile: the world is returned
    without it, and all else is planned.
    """
    found = [*_named_again(world), *_never_was(world)]
    for name, message, hint in found:
        key = ("was",) if world.desired.campaigns[name].spec.was else ()
        cause = world.where(f"campaign/{name}", *key)
        draft.block(f"campaign/{name}", code="name-taken", message=message, cause=cause, hint=hint)
    names = [name for name, _, _ in found]
    if world.facts.unsaid:
        from reconciler.plan.campaigns.unsaid import plan_unsaid  # seldom needed

        names += plan_unsaid(world, draft)
    if not names:
        return world
    campaigns = dict(world.desired.campaigns)
    misnamed = {name: campaigns.pop(name) for name in dict.fromkeys(names)}
    desired = msgspec.structs.replace(world.desired, campaigns=campaigns)
    return msgspec.structs.replace(world, desired=desired, misnamed=misnamed)


def _named_again(world: World) -> Iterator[tuple[str, str, str]]:
    taken = {name: row for row in world.facts.store.campaigns for name in row.former}
    for name in unknown_names(world.desired, world.facts.store) if taken else ():
        if (row := taken.get(name)) is not None:
            yield (
                name,
                f"{row.name} had this name before: its folder has it still, and no name is used twice",
                f"give the new campaign another id: reconcile new campaign {name.partition('/')[0]}",
            )


def _never_was(world: World) -> Iterator[tuple[str, str, str]]:
    """Yield what says `was:` of a campaign that has another spec, or of none while one has lost its spec."""
    store = world.facts.store
    left = [row.name for row in without_spec(world.desired, store)]
    now = {name: row.name for row in store.campaigns for name in row.former}
    for name in unknown_names(world.desired, store) if left or now else ():
        was = world.desired.campaigns[name].spec.was
        if was == NO_FORMER_NAME:
            continue
        if was is not None and was in now:
            message = f"its spec says was: {was}, which is {now[was]} by now, and has a spec"
            yield name, message, "write was: none: it begins anew then"
        elif was is not None and left:
            near = nearest_name(was, left)
            meant = f"; did you mean was: {near}?" if near else ""
            message = f"its spec says was: {was}, which is no campaign without a spec"
            hint = f"those without one: {', '.join(left)}{meant}; or write was: none: it begins anew then"
            yield name, message, hint


def plan_renames(world: World, draft: Draft) -> None:
    """Write down each new name; it comes before everything else that the plan does with the campaign."""
    for rename in world.facts.renames:
        subject = f"campaign/{rename.new}"
        draft.add(
            RenameCampaign(campaign=rename.new, campaign_uid=rename.campaign_uid, previous=rename.old),
            subject=subject,
            reason=_WHY[rename.how],
            cause=world.where(subject, *(("was",) if rename.how == "said" else ())),
            source="edit",
        )


def plan_after_renames(world: World, draft: Draft) -> None:
    """Let nothing be done for a campaign under a name that it has not got."""
    if not world.facts.renames:
        return
    ids = dict(zip((one.new for one in world.facts.renames), draft.ids(RenameCampaign), strict=True))
    changes = [
        msgspec.structs.replace(change, needs=(ids[name], *change.needs))
        if (name := getattr(change.action, "campaign", None)) in ids and change.id != ids[name]
        else change
        for change in draft.changes
    ]
    draft.take_out(draft.changes)
    draft.put(*changes)
