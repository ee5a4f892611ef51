"""`wait`: return when a thing is as somebody wants it, say so when it can no longer become so."""

import re
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from reconciler.app.looking.quest_states import quest_states
from reconciler.app.looking.status import CampaignStatus, StatusReport, status_of
from reconciler.app.looking.things import named
from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import View
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, Misused, TimedOut
from reconciler.app.surroundings.ground import named_now, not_found
from reconciler.app.surroundings.place import Options

T = TypeVar("T")
POLL_SECONDS = 1.0
_STEP = re.compile(r"step=([0-9]{1,12})", re.ASCII)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How a thing is, seen once."""

    thing: str
    condition: str
    is_so: bool
    now: str
    """In words."""
    is_hopeless: bool = False
    """It cannot become so without a person."""


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
        look = look_at(look_in_force(environment, options), thing, condition)
        waited = time.monotonic() - started
        if look.is_so:
            return Waited(thing=thing, condition=condition, now=look.now, waited_seconds=round(waited, 1))
        if look.is_hopeless:
            raise Failed(f"{thing} will not be {condition}: {look.now}; see reconcile explain {thing}")
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
    is_so, now, is_hopeless = _LOOKERS[kind](view, name, condition)
    return Look(thing=thing, condition=condition, is_so=is_so, now=now, is_hopeless=is_hopeless)


def _realm(view: View, _name: str, condition: str) -> tuple[bool, str, bool]:
    report = status_of(view)
    tests: Mapping[str, Callable[[StatusReport], bool]] = {
        "applied": lambda one: one.applied_commit == one.commit,
        "idle": lambda one: (
            not (one.num_changes or one.tried_again or any(item.run for item in one.campaigns))
        ),
    }
    test = _test(tests, condition, "the realm")
    applied = report.applied_commit[:7] if report.applied_commit else "nothing"
    now = f"{applied} is applied of {report.checked_out}, {report.num_changes} changes to do"
    now += f", {report.num_blocked} blocked: reconcile plan" if report.num_blocked else ""
    now += f"; still to come: {report.to_come.text}" if report.to_come.text else ""
    return test(report), now, False


def _campaign(view: View, name: str, condition: str) -> tuple[bool, str, bool]:
    report = status_of(view)
    one = next((item for item in report.campaigns if item.name == name), None)
    if one is None:
        raise not_found("campaign", name, [item.name for item in report.campaigns])
    now = f"step {one.step:,}, {one.state}, {one.synced.state}, {one.healthy.state} ({one.healthy.reason})"
    if (step := _STEP.fullmatch(condition)) is not None:
        return one.step >= int(step[1]), now, one.state in ("archived", "deleted")
    tests: Mapping[str, Callable[[CampaignStatus], bool]] = {
        "synced": lambda it: it.synced.state == "synced",
        "healthy": lambda it: it.healthy.state == "healthy",
        "completed": lambda it: it.state == "completed",
        "paused": lambda it: it.healthy.reason == "paused",
        "saved": lambda it: it.newest_checkpoint_step is not None and it.newest_checkpoint_step >= it.step,
    }
    test = _test(tests, condition, "a campaign", "step=N")
    given_up = one.healthy.reason == "given-up"
    return test(one), now, given_up and not test(one)


def _quest(view: View, name: str, condition: str) -> tuple[bool, str, bool]:
    states = quest_states(view)
    if name not in states:
        raise not_found("quest", name, states)
    now = states[name]
    words = ("queued", "processing", "completed", "failed", "skipped")
    _test(dict.fromkeys(words, bool), condition, "a quest")
    hopeless = condition in ("completed", "processing") and now in ("failed", "skipped")
    return now == condition, f"it is {now}", hopeless


_LOOKERS: Mapping[str, Callable[[View, str, str], tuple[bool, str, bool]]] = {
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
