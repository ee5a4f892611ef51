"""Releases: short branches off the living history whose rate falls, each to one checkpoint. Pure.

A constant rate never comes to rest, and a campaign has no last step. So a spec asks for a release: from the
first checkpoint at or after a step a branch trains some updates on the rows that come next there, with the
rate falling, in a segment of its own (warm-up, stable, decay: Hu et al., arXiv 2404.06395). The living
history goes on from where it was, as if there had been no branch, and learns those rows in its turn.
"""

from collections.abc import Iterator

import msgspec

from reconciler.desired.campaign import Release
from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.release_schedules import with_falling_rate
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.segments.rollbacks import NoRollback, usable
from reconciler.plan.world import World
from state.store.rows import CampaignRow, SegmentRow

FALLING = "release-schedule"
"""Code of a release whose rate falls by itself."""
BEYOND = "release-beyond-goal"
"""Code of a release at a step that the campaign's goal keeps it from."""


class Begin(msgspec.Struct, frozen=True):
    """A branch that is to be begun."""

    release: Release
    cause: str
    parent: FoundCheckpoint


class InWarmUp(msgspec.Struct, frozen=True):
    """A release that waits until the rate has warmed up: before that there is nothing to let fall."""

    at: int
    step: int
    """Where the campaign stands."""
    warm_up: int
    """Updates that the rate takes to rise."""
    origin: str
    """Which layer says so."""
    cause: str


def wanted_of(release: Release) -> str:
    """Return what a branch remembers of the line that asked for it."""
    return f"release at {release.at}: {release.updates} updates to {release.to:g}"


def open_branch(world: World, row: CampaignRow) -> SegmentRow | None:
    """Return the branch that was begun and is not made yet, of the release with the smallest step."""
    for release in _asked(world, row):
        found = branch_for(world, row, release)
        if found is not None and not is_made(world, found):
            return found
    return None


def branch_for(world: World, row: CampaignRow, release: Release) -> SegmentRow | None:
    """Return the branch that was begun for a release off what is living now; a rollback may have left it."""
    from state.segments import living_bounds

    segments = world.facts.segments_of(row.uid)
    bounds = living_bounds(row.segment, segments)
    for one in reversed(segments):
        until = bounds.get(one.parent_segment, -1)
        is_living = until is None or one.parent_step <= until
        if one.kind == "decay" and one.ready_at and _is_for(one, release) and is_living:
            return one
    return None


def _is_for(branch: SegmentRow, release: Release) -> bool:
    """Was a branch begun for a release? Of one that nobody knows any more its horizon and its step say so."""
    if branch.is_known:
        return branch.wanted == wanted_of(release)
    is_as_long = (branch.updates, branch.final_ratio) == (release.updates, release.to)
    return is_as_long and branch.parent_step >= release.at


def is_made(world: World, branch: SegmentRow) -> bool:
    """Was its last checkpoint saved, wherever that is by now?"""
    ledger = world.facts.ledger_of(branch.campaign_uid)
    if any(one.segment == branch.number and one.step >= branch.last_step for one in ledger):
        return True
    newest = newest_of(world, branch)
    return newest is not None and newest.step >= branch.last_step


def newest_of(world: World, branch: SegmentRow) -> FoundCheckpoint | None:
    """Return the newest whole and healthy checkpoint that a branch has saved."""
    facts = world.seen(world.name(branch.campaign_uid)).segments.get(branch.number)
    damaged = {one.digest for one in world.facts.ledger_of(branch.campaign_uid) if one.damage is not None}
    complete = facts.complete if facts is not None else ()
    return next((one for one in reversed(complete) if one.healthy and one.digest not in damaged), None)


def stand_of(world: World, branch: SegmentRow) -> FoundCheckpoint | None:
    """Return the checkpoint that a branch goes on from: its newest, else its parent."""
    own = newest_of(world, branch)
    if own is not None:
        return own
    complete = world.seen(world.name(branch.campaign_uid)).all_complete
    return next((one for one in complete if one.digest == branch.parent_digest), None)


def branch_to_begin(world: World, row: CampaignRow) -> Begin | NoRollback | None:
    """Return the next branch that can be begun; None where none is asked for or training is not there."""
    for place, release in enumerate(_asked(world, row)):
        if branch_for(world, row, release) is not None:
            continue
        cause = world.where(f"campaign/{row.name}", "releases", place)
        settings = resolve(layers_of(world.desired, row.name))
        for falling in with_falling_rate((release,), settings):
            return NoRollback(FALLING, falling.message, cause, falling.hint)
        least = max(release.at, settings["warmup_steps"].value)
        parent = next((one for one in usable(world, row) if one.step >= least), None)
        if parent is not None:
            return Begin(release, cause, parent)
    return None


def never_made(world: World, campaign: str) -> NoRollback | None:
    """Return why the first release of a campaign that is yet to begin will not be made; None: it can be."""
    releases = world.desired.campaigns[campaign].spec.releases
    for found in with_falling_rate(releases, resolve(layers_of(world.desired, campaign))):
        cause = world.where(f"campaign/{campaign}", "releases", found.place)
        return NoRollback(FALLING, found.message, cause, found.hint)
    in_order = sorted(enumerate(releases), key=lambda one: one[1].at)
    beyond = (beyond_goal(world, campaign, place, one) for place, one in in_order)
    return next((found for found in beyond if found is not None), None)


def beyond_goal(world: World, campaign: str, place: int, release: Release) -> NoRollback | None:
    """Return why training ends before it comes to a release; None: no goal of updates lies before that."""
    goal = world.goals(campaign).updates
    if goal is None or goal >= release.at:
        return None
    return NoRollback(
        BEYOND,
        f"the release at step {release.at:,} is never made: the goal is reached at {goal:,} updates",
        world.where(f"campaign/{campaign}", "releases", place),
        f"raise goal.updates to {release.at} at least, or remove the release",
    )


def waits_for_warm_up(world: World, row: CampaignRow) -> InWarmUp | None:
    """Return the first release whose step was reached before the rate had warmed up, if there is one."""
    for place, release in enumerate(_asked(world, row)):
        saved = usable(world, row)
        warm_up = resolve(layers_of(world.desired, row.name))["warmup_steps"]
        is_reached = bool(saved) and release.at <= saved[-1].step < warm_up.value
        if is_reached and branch_for(world, row, release) is None:
            cause = world.where(f"campaign/{row.name}", "releases", place)
            return InWarmUp(release.at, saved[-1].step, warm_up.value, warm_up.origin, cause)
    return None


def release_to_come(world: World, row: CampaignRow) -> tuple[int, Release, int] | None:
    """Return the first release whose step no checkpoint has reached: its place, it, where training stands."""
    saved = usable(world, row)
    step = saved[-1].step if saved else 0
    for place, release in enumerate(_asked(world, row)):
        if release.at > step and branch_for(world, row, release) is None:
            return place, release, step
    return None


def _asked(world: World, row: CampaignRow) -> Iterator[Release]:
    """Yield the releases that the specs ask for of the active campaign, as they stand there."""
    source = world.desired.campaigns.get(row.name)
    if source is not None and row.name == world.active and source.spec.state is None:
        yield from source.spec.releases
