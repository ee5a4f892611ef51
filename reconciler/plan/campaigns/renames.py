"""A spec with another name is the same campaign: recognised by uid, never one deleted and one created.

A spec without a campaign and a campaign without a spec belong together when the spec says `was:`, when it has
a name again that the campaign had, or when git sees the file as moved. The rows are read under the new name
from the beginning of the plan, so everything else in it is about the campaign as it will be called.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from reconciler.desired.desired import Desired
from reconciler.observed.facts import CampaignFacts, Facts
from reconciler.plan.actions import RenameCampaign
from reconciler.plan.campaigns.exchanges import find_exchanged
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.renames import HowKnown, Rename, Unfollowed, renamed_view
from state.store.rows import CampaignRow, StoreView

Seen = TypeVar("Seen")
_NONE: Mapping[str, str] = {}
_WHY: Mapping[HowKnown, str] = {
    "said": "its spec says so",
    "back": "it has a name again that it had before",
    "moved": "git sees its file as moved",
}


def find_renames(
    desired: Desired, store: StoreView, moved: Mapping[str, str], doubtful: Mapping[str, str] = _NONE
) -> tuple[Rename, ...]:
    """Return the campaigns whose spec has another name now; `moved`: new name → old one, as git says.

    One that was deleted is none of them, nor is one whose old name still has a spec that was no other's. What
    specs say goes before what history looks like, and of a spec that says something its word alone counts.
    """
    exchanged = find_exchanged(desired, store, moved, doubtful).renames
    is_taken = {one.campaign_uid for one in exchanged}
    left = {row.name: row for row in without_spec(desired, store) if row.uid not in is_taken}
    had = _by_former_name(left.values())
    found = {one.new: one for one in exchanged}
    names = [name for name in unknown_names(desired, store) if name not in found]
    said = {name: was for name in names if (was := desired.campaigns[name].spec.was) is not None}
    unsaid = [name for name in names if name not in said]
    ways: tuple[tuple[HowKnown, Mapping[str, CampaignRow | None]], ...] = (
        ("said", {name: left.get(was) or had.get(was) for name, was in said.items()}),
        ("back", {name: had.get(name) for name in unsaid}),
        ("moved", {name: left.get(moved.get(name, "")) for name in unsaid if name not in doubtful}),
    )
    for how, rows in ways:
        for name, row in rows.items():
            if row is not None and name not in found and left.pop(row.name, None) is not None:
                found[name] = Rename(campaign_uid=row.uid, old=row.name, new=name, how=how)
    return tuple(found[name] for name in desired.campaigns if name in found)


def _by_former_name(rows: Iterable[CampaignRow]) -> dict[str, CampaignRow]:
    """Return former name → the one campaign that it means; one that several had means none."""
    found: dict[str, CampaignRow | None] = {}
    for row in rows:
        for name in row.former:
            found[name] = None if name in found else row
    return {name: row for name, row in found.items() if row is not None}


def is_unclear(desired: Desired, store: StoreView) -> bool:
    """May a spec that says nothing of it be that of a campaign without a spec? Only history tells."""
    known = find_renames(desired, store, {})
    unsaid = [name for name in unknown_names(desired, store) if desired.campaigns[name].spec.was is None]
    in_doubt = len(unsaid) - sum(one.how != "said" for one in known)
    return in_doubt > 0 and len(without_spec(desired, store)) + len(_deleted(store)) > len(known)


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


def _deleted(store: StoreView) -> tuple[CampaignRow, ...]:
    """Return the campaigns that were deleted whole and lie in the trash still."""
    lying = {stone.campaign_uid for stone in store.trash if stone.is_campaign and stone.state == "trashed"}
    return tuple(row for row in store.campaigns if row.status == "deleted" and row.uid in lying)


def _unfollowed_deleted(
    desired: Desired, store: StoreView, moved: Mapping[str, str]
) -> tuple[Unfollowed, ...]:
    """Return the new specs that say, or whose files say, that they are of a campaign in the trash."""
    rows = _deleted(store)
    if not rows:
        return ()
    had, now = _by_former_name(rows), {row.name: row for row in rows}
    found = []
    for name in unknown_names(desired, store):
        was = desired.campaigns[name].spec.was
        old = was or moved.get(name, name)
        if (row := now.get(old) or had.get(old)) is not None:
            found.append(Unfollowed(old=row.name, new=name, is_said=was is not None, is_deleted=True))
    return tuple(found)


def with_renames(
    facts: Facts, desired: Desired, moved: Mapping[str, str], doubtful: Mapping[str, str] = _NONE
) -> Facts:
    """Return the facts with each renamed campaign under its new name, all at once.

    `moved`, `doubtful`: new name → old one, where git says so, and where git and the contents do not agree.
    """
    renames = find_renames(desired, facts.store, moved, doubtful)
    deleted = _unfollowed_deleted(desired, facts.store, {**moved, **doubtful})
    unfollowed = (*find_exchanged(desired, facts.store, moved, doubtful).unfollowed, *deleted)
    if unfollowed:
        facts = msgspec.structs.replace(facts, unfollowed=unfollowed)
    return _under_new_names(facts, renames) if renames else facts


def _under_new_names(facts: Facts, renames: tuple[Rename, ...]) -> Facts:
    derived = facts.derived
    new = {one.old: one.new for one in renames}
    campaigns = {one.new: CampaignFacts() for one in renames}
    return msgspec.structs.replace(
        facts,
        store=renamed_view(facts.store, renames),
        campaigns={**campaigns, **_renamed_keys(facts.campaigns, new)},
        derived=msgspec.structs.replace(
            derived,
            campaign_records=_renamed_keys(derived.campaign_records, new),
            status_files=_renamed_keys(derived.status_files, new),
        ),
        renames=renames,
    )


def _renamed_keys(seen: Mapping[str, Seen], new: Mapping[str, str]) -> dict[str, Seen]:
    """Return what was seen by the new names; what was seen under one that is taken now goes with its own."""
    kept = {name: one for name, one in seen.items() if name not in new}
    return kept | {new[name]: one for name, one in seen.items() if name in new}


def plan_renames(world: World, draft: Draft) -> None:
    """Write down each new name; it comes before everything else that the plan does with the campaign."""
    together = _together(world.facts.renames)
    for rename in world.facts.renames:
        subject = f"campaign/{rename.new}"
        draft.add(
            RenameCampaign(
                campaign=rename.new,
                campaign_uid=rename.campaign_uid,
                previous=rename.old,
                together=together if rename in together else (),
            ),
            subject=subject,
            reason=_WHY[rename.how],
            cause=world.where(subject, *(("was",) if rename.how == "said" else ())),
            source="edit",
        )


def _together(renames: Sequence[Rename]) -> tuple[Rename, ...]:
    """Return those that take a name that another gives up, and those that give one up so."""
    old, new = {one.old for one in renames}, {one.new for one in renames}
    return tuple(one for one in renames if one.new in old or one.old in new)


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
