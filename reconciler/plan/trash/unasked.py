"""What stays in the trash because nothing asks any more for it to go: told once for each campaign. Pure.

It is in nobody's way: no spec asks for anything that is not so. So it blocks nothing, however long it lies.
"""

from collections.abc import Sequence

from reconciler.plan.changes import Unasked
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept_again import rules_line
from reconciler.plan.trash.contents import is_vanished
from reconciler.plan.world import World
from state.store.rows import CampaignRow

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
    more = len(found) - _MOST_NAMED
    told = ", ".join(one.what for one in found[:_MOST_NAMED])
    return f"{told} and {more:,} more (reconcile get trash)" if more > 0 else told
