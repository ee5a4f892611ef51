"""`wait`: return when a thing is as somebody wants it, say so when it can no longer become so."""

import re
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from reconciler.app.explaining.for_a_person import (
    before_a_quest,
    before_all_is_applied,
    before_all_rests,
    before_training,
    is_at_work_now,
    is_followed,
)
from reconciler.app.looking.quest_states import quest_states, still_asked
from reconciler.app.looking.status import CampaignStatus, StatusReport, status_of
from reconciler.app.looking.things import named
from reconciler.app.planning.in_force import look_followed
from reconciler.app.planning.look import View, world_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, Misused, TimedOut
from reconciler.app.surroundings.ground import named_now
from reconciler.app.surroundings.no_spec import no_spec
from reconciler.app.surroundings.place import Options
from reconciler.plan.changes import FETCH_GIVEN_UP, Blocked, folded
from state.source_status import NotInForce

T = TypeVar("T")
Seen = tuple[bool, str, str | None]
"""Is it so, how is it, and why it cannot become so without a person."""
POLL_SECONDS = 1.0
_STEP = re.compile(r"step=([0-9]{1,12})", re.ASCII)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How a thing is, seen once."""

    thing: str
    condition: str
    is_so: bool
    now: str
    """In words."""
    hopeless: str | None = None
    """Why it cannot become so without a person, and the way out; None: it can, or it is so."""


class Waited(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the waiting."""

    schema_version: int = 1
    thing: str
    condition: str
    now: str
    waited_seconds: float


def wait_until(
    environment: Environment, options: Options, thing: str, condition: str, timeout_seconds: float
) -> Waited:
    """Look again and again until the thing is as the condition says.

    Raises:
        Misused: a thing of this kind has no such condition; names those that it has.
        NotFound: there is no such thing.
        Failed: it cannot become so without a person.
        TimedOut: it was not so in time; says how it is.
    """
    started = time.monotonic()
    while True:
        look = look_at(look_followed(environment, options), thing, condition)
        waited = time.monotonic() - started
        if look.is_so:
            return Waited(thing=thing, condition=condition, now=look.now, waited_seconds=round(waited, 1))
        if look.hopeless is not None:
            raise Failed(f"{thing} will not be {condition}: {look.hopeless}")
        if waited >= timeout_seconds:
            raise TimedOut(f"{thing} is not {condition} after {timeout_seconds:g} s: {look.now}")
        time.sleep(min(POLL_SECONDS, max(0.0, timeout_seconds - waited)))


def look_at(view: View, thing: str, condition: str) -> Look:
    """Return whether a thing of a view is as the condition says. Pure.

    Raises:
        Misused, NotFound: as `wait_until`.
    """
    kind, name = named(thing) or ("", thing)
    if kind not in _LOOKERS:
        raise Misused(f'"{thing}" cannot be waited for; expected realm, quest/<id> or <hero>/<campaign>')
    name = named_now(view.facts.store.campaigns, name) if kind == "campaign" else name
    is_so, now, hopeless = _LOOKERS[kind](view, name, condition)
    hopeless = None if is_so else hopeless
    return Look(thing=thing, condition=condition, is_so=is_so, now=now, hopeless=hopeless)


def _realm(view: View, _name: str, condition: str) -> Seen:
    report = status_of(view)
    tests: Mapping[str, Callable[[StatusReport], bool]] = {
        "applied": lambda one: one.applied_commit == one.commit and is_followed(view),
        "idle": lambda one: (
            not (one.num_changes or one.tried_again or any(item.run for item in one.campaigns))
        ),
    }
    test = _test(tests, condition, "the realm")
    applied = report.applied_commit[:7] if report.applied_commit else "nothing"
    now = f"{applied} is applied of {report.checked_out}, {report.num_changes} changes to do"
    now += f", {report.num_blocked} blocked: reconcile plan" if report.num_blocked else ""
    now += f"; still to come: {report.to_come.text}" if report.to_come.text else ""
    now += f"; {view.window.text}" if view.window is not None else ""
    now += "".join(f"; {item.subject}: {item.message}" for item in folded(report.tried_again))
    newest = view.facts.not_in_force
    if newest is not None and newest.is_mistaken and condition == "applied":
        return False, now, f"{_named(newest)}: {newest.why}; {report.checked_out} stays in force"
    before = before_all_is_applied if condition == "applied" else before_all_rests
    return test(report), now, _told(before(view, report.campaigns))


def _named(newest: NotInForce) -> str:
    return f"the newest commit is {newest.commit[:7]}" if newest.commit else "the newest commit"


def _campaign(view: View, name: str, condition: str) -> Seen:
    report = status_of(view)
    one = next((item for item in report.campaigns if item.name == name), None)
    if one is None:
        raise no_spec("campaign", name, [item.name for item in report.campaigns], report.uncommitted)
    now = f"step {one.step:,}, {one.state}, {one.synced.state}, {one.healthy.state} ({one.healthy.reason})"
    tests: Mapping[str, Callable[[CampaignStatus], bool]] = {
        "synced": lambda it: it.synced.state == "synced",
        "healthy": lambda it: it.healthy.state == "healthy",
        "completed": lambda it: it.state == "completed" or _has_reached_its_goal(view, name),
        "paused": lambda it: it.healthy.reason == "paused",
        "saved": lambda it: it.newest_checkpoint_step is not None and it.newest_checkpoint_step >= it.step,
    }
    if (step := _STEP.fullmatch(condition)) is not None:
        return one.step >= int(step[1]), now, _never(view, one, condition)
    test = _test(tests, condition, "a campaign", "step=N")
    return test(one), now, _never(view, one, condition)


def _has_reached_its_goal(view: View, name: str) -> bool:
    """Has it reached a goal, be it active (then it is not called completed) or not?"""
    return name in view.desired.campaigns and world_of(view).goal_reached(name) is not None


def _never(view: View, one: CampaignStatus, condition: str) -> str | None:
    """Return why a campaign will not be so without a person."""
    if condition == "paused":
        return None  # a person's word is what is waited for
    if condition == "completed" and not one.goal:
        return f"it has no goal, so that it never is; give it one in specs/campaigns/{one.name}.yaml"
    is_at_work = is_at_work_now(one) and condition != "synced"
    if condition == "synced" and one.synced.reason in ("orphan", "overruled"):
        return one.synced.sentence
    if condition in ("synced", "healthy") and one.healthy.reason == FETCH_GIVEN_UP:
        return f"{one.healthy.sentence}; see reconcile explain {one.name}"
    if condition not in ("synced", "healthy") and not is_at_work and _is_at_rest(view, one):
        return f"it is {one.state}; see reconcile explain {one.name}"
    return _told(before_training(view, one, is_at_work=is_at_work))


def _is_at_rest(view: View, one: CampaignStatus) -> bool:
    """Is it archived or deleted, and is it to stay so; or has it no spec any more?"""
    source = view.desired.campaigns.get(one.name)
    is_wanted = source is not None and source.spec.state is None
    return one.state in ("archived", "deleted", "orphan") and not is_wanted


def _quest(view: View, name: str, condition: str) -> Seen:
    states = quest_states(view)
    if name not in states:
        raise no_spec("quest", name, states, view.uncommitted)
    now = states[name]
    words = ("queued", "processing", "completed", "failed", "skipped")
    _test(dict.fromkeys(words, bool), condition, "a quest")
    quest = next(one for one in view.quests if one.id == name)
    more = still_asked(view, quest) if now == condition == "completed" else None
    told = _how_it_is(view, name, now, more)
    return now == condition and more is None, told, _never_learnt(view, name, now, condition, more)


def _how_it_is(view: View, name: str, now: str, more: str | None) -> str:
    """Return the state of a quest as a sentence, and what the plan says of it where it does not move."""
    if more is not None:
        return f"it is {now} by what was applied last, but {more}"
    said = "it waits" if now == "waits" else f"it is {now}"
    held = (item.message for item in view.plan.blocked if item.subject == f"quest/{name}")
    why = next(held, None) if now in ("waits", "blocked") else None
    if why and why.startswith("waits "):
        return f"it {why}"
    return f"{said}: {why}" if why else said


def _never_learnt(view: View, name: str, now: str, condition: str, more: str | None) -> str | None:
    """Return why a quest will not come so far without a person."""
    if condition not in ("completed", "processing") or (now == "completed" and more is None):
        return None
    if now in ("failed", "skipped"):
        return f"it is {now}; see reconcile explain quest/{name}"
    return _told(before_a_quest(view, name, status_of(view).campaigns))


def _told(item: Blocked | None) -> str | None:
    return f"{item.subject}: {item.message} ({item.cause}); {item.hint}" if item is not None else None


_LOOKERS: Mapping[str, Callable[[View, str, str], Seen]] = {
    "realm": _realm,
    "campaign": _campaign,
    "quest": _quest,
}


def _test(
    tests: Mapping[str, Callable[[T], bool]], condition: str, of: str, *more: str
) -> Callable[[T], bool]:
    if condition not in tests:
        raise Misused(f'{of} has no condition "{condition}"; expected {", ".join([*tests, *more])}')
    return tests[condition]
