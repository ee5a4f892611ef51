"""The branches that releases still take: which, from where, how many updates. Pure.

A release learns the rows that come next where it branches off, and the living history learns them in its
turn: its updates come on top of those of the queue.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.schedulers import STEADY
from reconciler.plan.costs.pace import Energy, Expected
from reconciler.plan.segments.releases import branch_for, is_made, stand_of
from reconciler.plan.segments.rollbacks import usable
from reconciler.plan.world import World
from state.store.rows import CampaignRow, SegmentRow


class ReleaseCost(msgspec.Struct, frozen=True, kw_only=True):
    """What one release still costs; it is part of the cost of all."""

    at: int
    """The step that its spec names."""
    branches_at: int | None
    """The checkpoint that it goes on from, as far as can be told; null: training does not come there."""
    updates: int
    """That it makes with the rows there are."""
    waiting: int
    """Updates beyond those: they wait for rows."""
    tokens: int | None
    """About so many: as many an update as the queue has on average; null where those are not counted."""
    time: Expected | None
    energy: Energy | None = None
    num_saves: int | None = None
    saves_bytes: int | None = None


class Trunk(NamedTuple):
    """The living history that is still to be trained."""

    begin: int
    """The step that it goes on from."""
    ends: Sequence[int]
    """The step at which each quest ends, as far as the goal lets training go; a checkpoint is saved there."""
    last_row: int
    """The step at which all rows of the queue would be learnt, without a goal."""
    every_updates: int
    """Between two checkpoints."""


class BranchAhead(NamedTuple):
    """What is left to make of one release."""

    at: int
    """The step that its spec names."""
    stand: int | None
    """Where its next update begins; None: what there is to train ends before the release."""
    updates: int
    """For which there are rows."""
    wanted: int
    """All that are left of it."""


def branches_ahead(world: World, campaign: str, trunk: Trunk | None) -> Iterator[BranchAhead]:
    """Yield the releases of a campaign that are not made yet, in the order of its spec.

    `trunk`: None where nobody knows how many rows there are; the branches are told as their specs want them.
    """
    source = world.desired.campaigns.get(campaign)
    if source is None or source.spec.state is not None or not source.spec.releases:
        return
    settings = resolve(layers_of(world.desired, campaign))
    if settings["lr_scheduler"].value not in STEADY:
        return
    row, warm_up = world.facts.campaign_row(campaign), int(settings["warmup_steps"].value)
    for release in source.spec.releases:
        branch = branch_for(world, row, release) if row is not None else None
        if branch is None:
            stand = _stand(world, row, trunk, max(release.at, warm_up))
            yield _ahead(release.at, stand, release.updates, trunk)
        elif not is_made(world, branch):
            stand = _stand_of(world, branch)
            yield _ahead(release.at, stand, branch.last_step - stand, trunk)


def _ahead(at: int, stand: int | None, wanted: int, trunk: Trunk | None) -> BranchAhead:
    if trunk is None:
        return BranchAhead(at, at if stand is None else stand, wanted, wanted)
    rows_left = max(0, trunk.last_row - stand) if stand is not None else 0
    return BranchAhead(at, stand, min(wanted, rows_left), wanted)


def _stand_of(world: World, branch: SegmentRow) -> int:
    found = stand_of(world, branch)
    return found.step if found is not None else branch.parent_step


def _stand(world: World, row: CampaignRow | None, trunk: Trunk | None, least: int) -> int | None:
    """Return the first checkpoint at or after a step: one that lies there, else the first that is saved.

    Saves that the clock asks for are not among them: nobody knows where they fall.
    """
    saved = (one.step for one in usable(world, row)) if row is not None else iter(())
    there = next((step for step in saved if step >= least), None)
    if there is not None or trunk is None:
        return there
    end = next((end for end in trunk.ends if end >= least), None)
    if end is None:
        return None
    every, first = trunk.every_updates, max(least, trunk.begin + 1)
    return min(end, -(-first // every) * every)
