"""What stays in the trash because nothing asks any more for it to go: told once for each campaign. Pure.

It is in nobody's way: no spec asks for anything that is not so. So it blocks nothing, however long it lies.
What only stays until its campaign is restored is told, too: nobody looks at the trash before a restore.
"""

from collections.abc import Sequence

from reconciler.plan.changes import Unasked
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept_again import as_restored, rules_line
from reconciler.plan.trash.contents import is_vanished
from reconciler.plan.world import World
from state.amounts import duration
from state.store.rows import CampaignRow, TrashRow

_MOST_NAMED = 3


def warn_of_unasked(world: World, draft: Draft) -> None:
    """Say of each campaign what of it stays in the trash, and how it comes back, or goes after all."""
    lying = {one.sequence for one in world.facts.in_trash if not is_vanished(world.facts, one)}
    found: dict[str, list[Unasked]] = {}
    for one in draft.unasked:
        if one.sequence in lying:
            found.setdefault(one.campaign, []).append(one)
    for row in world.facts.store.campaigns:
        if row.name in found:
            draft.warnings.append(_line(world, row, found[row.name]))


def warn_of_restored(world: World, draft: Draft) -> None:
    """Say of each campaign that this plan restores what of it is deleted for good after that, and when."""
    found: dict[str, list[TrashRow]] = {}
    for stone in draft.once_restored:
        if not is_vanished(world.facts, stone):
            found.setdefault(stone.campaign_uid, []).append(stone)
    for row in world.facts.store.campaigns:
        if row.uid in found:
            draft.warnings.append(_line_of_restored(world, row, found[row.uid]))


def _line_of_restored(world: World, row: CampaignRow, stones: Sequence[TrashRow]) -> str:
    is_one = len(stones) == 1
    it, they, name = ("it", "it is", stones[0].thing) if is_one else ("them", "they are", "NAME")
    ends = min(stone.trashed_at_seconds + stone.grace_seconds for stone in stones)
    left = ends - world.observed_now
    first = "" if is_one else "the first "
    when = f", {first}in {duration(left)}" if left >= 1 else f", {first}by the next plan"
    whats = [_what(stone) for stone in stones]
    return (
        f"{rules_line(world, as_restored(row))}: once campaign/{row.name} is restored, its rules ask for "
        f"{_listed(whats)} to go: {they} deleted for good then{when}; before that reconcile undelete {name} "
        f"takes {it} back"
    )


def _what(stone: TrashRow) -> str:
    return f"the optimizer state of {stone.thing}" if stone.keeps else stone.thing


def _line(world: World, row: CampaignRow, found: Sequence[Unasked]) -> str:
    is_one = len(found) == 1
    it, stays, name = ("it", "it stays", found[0].thing) if is_one else ("them", "they stay", "NAME")
    if found[0].why == "no-spec":
        said = f"campaign/{row.name} has no spec any more; in the trash: {_names(found)}: {stays} there"
        goes = "with its spec the rules decide again"
    else:
        said = (
            f"{rules_line(world, row)}: no rule asks for {_names(found)} to go any more: {stays} in the trash"
        )
        goes = f"rules that drop {it} let {it} go"
    return f"{said}; reconcile undelete {name} takes {it} back, {goes}"


def _names(found: Sequence[Unasked]) -> str:
    return _listed([one.what for one in found])


def _listed(whats: Sequence[str]) -> str:
    more = len(whats) - _MOST_NAMED
    told = ", ".join(whats[:_MOST_NAMED])
    return f"{told} and {more:,} more (reconcile get trash)" if more > 0 else told
