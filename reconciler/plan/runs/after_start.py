"""The world once the active campaign has its starting checkpoint, and the launch that follows. Pure.

A launch waits until that checkpoint lies there, whole: the tick after this one begins it. What it will be and
cost is told beforehand; of a checkpoint that other software saved nobody knows enough before it was read.
"""

from collections.abc import Sequence

import msgspec

from reconciler.observed.records import FoundCheckpoint, found_checkpoint
from reconciler.plan.actions import LaunchRun, TakeOverCheckpoint
from reconciler.plan.changes import Change
from reconciler.plan.draft import Draft
from reconciler.plan.runs.after_rollback import Afterwards
from reconciler.plan.runs.launches import plan_launch
from reconciler.plan.world import World
from state.contract.manifest import Manifest, as_start


def after_start(world: World, changes: Sequence[Change]) -> Afterwards | None:
    """Return what follows where these changes bring the active campaign its start; None where they do not."""
    taken = next((one for one in changes if _brings_the_start(one, world.active)), None)
    if taken is None or not isinstance(taken.action, TakeOverCheckpoint):
        return None
    there = world.seen(taken.action.source).all_complete
    source = next((one for one in there if one.digest == taken.action.digest), None)
    if source is None:
        return None
    then, scratch = _with_start(world, taken.action, source), Draft()
    before = [change for change in changes if change is not taken]
    scratch.put(*before)
    plan_launch(then, scratch)
    launches = (one for one in scratch.changes[len(before) :] if isinstance(one.action, LaunchRun))
    return Afterwards(then, tuple(launches))


def _brings_the_start(change: Change, active: str | None) -> bool:
    return isinstance(change.action, TakeOverCheckpoint) and change.action.campaign == active


def _with_start(world: World, action: TakeOverCheckpoint, source: FoundCheckpoint) -> World:
    """Return the world in which the checkpoint lies among those of the campaign."""
    seen = world.seen(action.campaign)
    begun = found_checkpoint(source.path, source.size_bytes, _as_start(source.manifest, action))
    lying = msgspec.structs.replace(seen.checkpoints, complete=(*seen.checkpoints.complete, begun))
    there = {action.campaign: msgspec.structs.replace(seen, checkpoints=lying)}
    facts = msgspec.structs.replace(world.facts, campaigns={**world.facts.campaigns, **there})
    return World(
        desired=world.desired,
        facts=facts,
        specs_commit=world.specs_commit,
        now=world.now,
        misnamed=world.misnamed,
    )


def _as_start(source: Manifest, action: TakeOverCheckpoint) -> Manifest:
    return as_start(
        source,
        action.source,
        campaign_uid=action.campaign_uid,
        campaign=action.campaign,
        segment=1,
        created_at=source.created_at,
    )
