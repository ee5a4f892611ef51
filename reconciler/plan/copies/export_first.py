"""What stands against a clean-up; and of it what goes away by itself: the copies that are made first."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconciler.plan.changes import WAITS
from reconciler.plan.copies.places import copy_action, is_copied, plan_copy
from reconciler.plan.draft import Draft
from reconciler.plan.retries.held import held_back
from reconciler.plan.world import World
from state.amounts import count
from state.store.rows import CampaignRow, LedgerRow


class Obstacle(NamedTuple):
    """What stands against a clean-up, by name."""

    code: str
    message: str
    cause: str
    hint: str


def export_first(
    world: World, draft: Draft, row: CampaignRow, found: Sequence[LedgerRow]
) -> Iterator[Obstacle]:
    """Copy what is to go to where the campaign's spec wants it; until all of it lies there, nothing goes."""
    source = world.desired.campaigns.get(row.name)
    to = source.spec.export_to if source is not None else None
    if to is None:
        return
    cause = world.where(f"campaign/{row.name}", "export_to")
    missing = [one for one in found if not is_copied(world, row, one, to)]
    for one in missing:
        action = copy_action(world, row, one, to, "export")
        if held := held_back(world, action):
            yield Obstacle(
                "not-exported",
                f"{row.name}@{one.which} is not in {to}: {held.why}",
                cause,
                f"mend that{held.at_once}",
            )
            return
        plan_copy(
            draft, action, reason="it goes only once a copy of it lies there", cause=cause, source="edit"
        )
    if missing:
        what = f"{count(len(missing), 'checkpoint')} to be copied to {to} first"
        yield Obstacle(WAITS, what, cause, "the next plan asks for an approval of the rest")
