"""When what failed is tried again: later after each failure, never given up, at once where forgiven. Pure.

The reconciler at work waits; another one tries everything once.
"""

from typing import NamedTuple

import msgspec

from reconciler.plan.actions import AnyAction
from reconciler.plan.changes import change_id
from reconciler.plan.retries.retry import Verdict, judge_moments, policy_of
from reconciler.plan.world import World
from state.store.journal_rows import LastFailure

_NO_LIMIT = 2**31
"""A try is never given up: what was mended goes on by itself."""


class Held(NamedTuple):
    """Why a change is not planned, and until when."""

    why: str
    at_once: str
    """How a person has it tried without a wait; empty where that would do something else."""


def held_back(world: World, action: AnyAction) -> Held | None:
    """Return why an action failed for good, with when it is tried again, where that is not now."""
    failure = world.facts.last_failure(change_id(action))
    if failure is None or not failure.permanent:
        return None
    verdict = judge_in_office(world, action, failure)
    if verdict.ready:
        return None
    return Held(f"{failure.outcome}; tries again at {verdict.not_before}", at_once(world, action))


def judge_in_office(world: World, action: AnyAction, failure: LastFailure) -> Verdict:
    """Judge the failures that the reconciler at work has seen; who starts another has everything tried."""
    if not world.facts.is_in_office or failure.epoch != world.facts.store.epoch:
        return Verdict(ready=True)
    return judge_tries(world, action, failure.failed_at[-failure.num_in_office :], failure.id)


def judge_tries(world: World, action: AnyAction, failed_at: tuple[str, ...], id_: str) -> Verdict:
    """Judge these failures of a change; those from before a person resumed its campaign do not count."""
    row = world.facts.campaign_row(campaign_of(action))
    forgiven_at = world.forgiven_at(row) if row is not None else None
    policy = msgspec.structs.replace(policy_of(world.desired.realm.spec), attempts=_NO_LIMIT)
    return judge_moments(failed_at, policy, forgiven_at, world.now, id_)


def at_once(world: World, action: AnyAction) -> str:
    """Return how a person has it tried without a wait; a campaign on hold would go on training by that."""
    name = campaign_of(action)
    is_free = world.facts.campaign_row(name) is not None and world.hold(name) is None
    return f"; to try at once: reconcile resume {name}" if is_free else ""


def campaign_of(action: AnyAction) -> str:
    """Return the campaign that an action is about; empty: none."""
    return getattr(action, "campaign", None) or ""
