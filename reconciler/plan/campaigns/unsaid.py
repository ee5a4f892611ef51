"""Campaigns that lost their specs while others of their hero came: the same under a new name, or new ones?

git compares lines and sees no move where most of a short file changed. So that nothing begins anew by a slip,
a person is asked: where between the last commit that was taken up and this one a hero lost the spec of a
campaign that has trained, and got one that says nothing of what it was. A hero with another name counts as
the same for the campaigns that keep their ids. Where nobody can tell what had a spec before, one pair alone
is asked about.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import msgspec

from reconciler.desired.desired import Desired
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.renames import unknown_names, without_spec
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import count
from state.renames import Unsaid
from state.store.rows import CampaignRow, StoreView

_MOST_NAMED = 3
"""Of many that lost their specs; the rest is counted."""


def with_unsaid(facts: Facts, desired: Desired, before: Collection[str] | None) -> Facts:
    """Return the facts with the pairs in doubt, once every rename that is known was taken out of them.

    `before`: the campaigns that had a spec at the last commit that was taken up; None: nobody can tell.
    """
    asked = {name for one in facts.unfollowed for name in (one.old, one.new)}
    found = find_unsaid(desired, facts.store, before)
    found = tuple(one for one in found if not asked & {one.new, *one.old})
    return msgspec.structs.replace(facts, unsaid=found) if found else facts


def find_unsaid(desired: Desired, store: StoreView, before: Collection[str] | None) -> tuple[Unsaid, ...]:
    """Return those in doubt, by name, each with what it may be."""
    came = [name for name in _begun_from_nothing(desired, store) if before is None or name not in before]
    left = [
        row
        for row in without_spec(desired, store)
        if (before is None or row.name in before) and _has_trained(store, row)
    ]
    found = {name: tuple(row.name for row in left if _may_be(desired, name, row)) for name in came}
    if before is None:
        found = dict(_alone(found))
    return tuple(Unsaid(new=name, old=old) for name, old in found.items() if old)


def _may_be(desired: Desired, name: str, row: CampaignRow) -> bool:
    """Could a new campaign be this one: of its hero, or with its id where that hero has no spec any more?"""
    hero, _, id_ = name.partition("/")
    its_hero, _, its_id = row.name.partition("/")
    if row.status == "archived" and desired.campaigns[name].spec.state != "archived":
        return False
    return hero == its_hero or (id_ == its_id and its_hero not in desired.heroes)


def _alone(found: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the pairs in which both have no other, where the new one is the only one of its hero."""
    of_hero = Counter(name.partition("/")[0] for name in found)
    of_old = Counter(old for names in found.values() for old in names)
    for name, olds in found.items():
        if len(olds) == 1 and of_old[olds[0]] == 1 and of_hero[name.partition("/")[0]] == 1:
            yield name, olds


def _begun_from_nothing(desired: Desired, store: StoreView) -> list[str]:
    """Return the campaigns to be begun whose specs name neither a former name nor a start."""
    specs = {name: desired.campaigns[name].spec for name in unknown_names(desired, store)}
    return [name for name, spec in specs.items() if spec.was is None and spec.starting_checkpoint is None]


def _has_trained(store: StoreView, row: CampaignRow) -> bool:
    """Has it saved, or is it at it?"""
    saved = any(one.campaign_uid == row.uid for one in store.ledger)
    return saved or any(run.campaign_uid == row.uid and run.state != "ended" for run in store.runs)


def plan_unsaid(world: World, draft: Draft) -> list[str]:
    """Ask about each of them; return the names of the new ones, for which nothing is planned meanwhile."""
    for one in world.facts.unsaid:
        shown = one.old[:_MOST_NAMED]
        saved = [(old, count(len(world.seen(old).all_complete), "checkpoint")) for old in shown]
        more = f" and {len(one.old) - _MOST_NAMED:,} more" if len(one.old) > _MOST_NAMED else ""
        lost = " and ".join(f"{old} ({number})" for old, number in saved) + more
        is_one = len(one.old) == 1
        its, same = ("its spec", "the same campaign") if is_one else ("their specs", "one of them")
        draft.block(
            f"campaign/{one.new}",
            code="rename-unsaid",
            message=f"it came as {lost} lost {its}: nothing says if it is {same}",
            cause=world.where(f"campaign/{one.new}"),
            hint=f"write was: {' or '.join(shown)} if it is {same}, was: none if it is a new one",
        )
    return [one.new for one in world.facts.unsaid]
