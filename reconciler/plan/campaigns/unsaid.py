"""A campaign that lost its spec while another of its hero came: the same under a new name, or a new one?

git compares lines and sees no move where most of a short file changed. So that nothing begins anew by a slip,
a person is asked: where between the last commit that was taken up and this one a hero lost exactly one spec
of a campaign that has trained, and got exactly one that says nothing of what it was.
"""

from collections.abc import Collection

import msgspec

from reconciler.desired.desired import Desired
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.renames import unknown_names, without_spec
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import count
from state.renames import Unsaid
from state.store.rows import CampaignRow, StoreView


def with_unsaid(facts: Facts, desired: Desired, before: Collection[str] | None) -> Facts:
    """Return the facts with the pairs in doubt, once every rename that is known was taken out of them.

    `before`: the campaigns that had a spec at the last commit that was taken up; None: nobody can tell.
    """
    asked = {name for one in facts.unfollowed for name in (one.old, one.new)}
    found = find_unsaid(desired, facts.store, before)
    found = tuple(one for one in found if not asked & {one.old, one.new})
    return msgspec.structs.replace(facts, unsaid=found) if found else facts


def find_unsaid(desired: Desired, store: StoreView, before: Collection[str] | None) -> tuple[Unsaid, ...]:
    """Return the pairs in doubt, by name."""
    came = [name for name in _begun_from_nothing(desired, store) if before is None or name not in before]
    left = [
        row
        for row in without_spec(desired, store)
        if (before is None or row.name in before) and _has_trained(store, row)
    ]
    found = []
    for name in came:
        hero = name.partition("/")[0]
        is_archived = desired.campaigns[name].spec.state == "archived"
        of_hero = [one for one in came if one.partition("/")[0] == hero]
        fitting = [
            row
            for row in left
            if row.name.partition("/")[0] == hero and (row.status != "archived" or is_archived)
        ]
        if len(of_hero) == len(fitting) == 1:
            found.append(Unsaid(old=fitting[0].name, new=name))
    return tuple(found)


def _begun_from_nothing(desired: Desired, store: StoreView) -> list[str]:
    """Return the campaigns to be begun whose specs name neither a former name nor a start."""
    specs = {name: desired.campaigns[name].spec for name in unknown_names(desired, store)}
    return [name for name, spec in specs.items() if spec.was is None and spec.starting_checkpoint is None]


def _has_trained(store: StoreView, row: CampaignRow) -> bool:
    """Has it saved, or is it at it?"""
    saved = any(one.campaign_uid == row.uid for one in store.ledger)
    return saved or any(run.campaign_uid == row.uid and run.state != "ended" for run in store.runs)


def plan_unsaid(world: World, draft: Draft) -> list[str]:
    """Ask about each pair; return the names of the new ones, for which nothing is planned meanwhile."""
    for one in world.facts.unsaid:
        saved = count(len(world.seen(one.old).all_complete), "checkpoint")
        draft.block(
            f"campaign/{one.new}",
            code="rename-unsaid",
            message=f"it came as {one.old} ({saved}) lost its spec: nothing says if it is the same campaign",
            cause=world.where(f"campaign/{one.new}"),
            hint=f"write was: {one.old} if it is the same campaign, was: none if it is a new one",
        )
    return [one.new for one in world.facts.unsaid]
