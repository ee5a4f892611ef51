"""What failed when it was last tried is told with its change, and held back where the next try is in vain.

Said once, for all actions. The reconciler at work waits longer after each failure of the same change: at once
where it failed for good, after a few tries where it may have been bad luck. What is held back is blocked:
somebody has to mend it. Who starts another reconciler has everything tried again. Pure.
"""

import re

import msgspec

from reconciler.plan.changes import FAILS, Change, Setback
from reconciler.plan.draft import Draft
from reconciler.plan.retries.fetches import FETCHES
from reconciler.plan.retries.held import at_once, judge_in_office, judge_tries
from reconciler.plan.sentences import failure_of, sentence_of
from reconciler.plan.world import World

_SPEC_LINE = re.compile(r"specs/.+\.yaml(:\d+)?")


def plan_setbacks(world: World, draft: Draft) -> None:
    """Tell what failed, and take out of the plan what is not tried yet, with what needs that."""
    held: dict[str, Change] = {}
    kept: list[Change] = []
    for planned in draft.changes:
        change = _with_setback(world, planned)
        needed = next((held[need] for need in change.waits_on(held)), None)
        if needed is not None:
            held[change.id] = needed
            _block_dependent(draft, change, needed)
        elif (setback := change.setback) is not None and (until := _held_until(world, change)):
            held[change.id] = change
            _block(world, draft, change, setback, until)
        else:
            kept.append(change)
    draft.replace(kept)


def code_of(change: Change) -> str:
    """Return the code of what is held back, by what it would do: `fails-purge`."""
    return f"{FAILS}-{sentence_of(change.action).verb.replace(' ', '-')}"


def _with_setback(world: World, change: Change) -> Change:
    """Return the change with how it failed, where that counts."""
    failure = world.facts.last_failure(change.id)
    if failure is None or (isinstance(change.action, FETCHES) and not failure.permanent):
        return change  # what of a fetch is not for good was broken off for a person's request
    num_failures = judge_tries(world, change.action, failure.failed_at, change.id).failures
    if not num_failures:
        return change
    setback = Setback(
        num_failures=num_failures,
        last_at=failure.failed_at[-1],
        outcome=failure.outcome,
        hint=_way_out(change),
    )
    return msgspec.structs.replace(change, setback=setback)


def _held_until(world: World, change: Change) -> str | None:
    """Return when a change that failed is tried again, where that is not now."""
    failure = world.facts.last_failure(change.id)
    if failure is None or isinstance(change.action, FETCHES):
        return None  # `fetches` has said when
    verdict = judge_in_office(world, change.action, failure)
    is_lasting = failure.permanent or verdict.failures >= world.desired.realm.spec.apply.retry.attempts
    return None if verdict.ready or not is_lasting else verdict.not_before


def _block(world: World, draft: Draft, change: Change, setback: Setback, until: str) -> None:
    draft.block(
        change.subject,
        code=code_of(change),
        message=f"{failure_of(change)}; tries again at {until}",
        cause=change.cause,
        hint=f"{setback.hint}{at_once(world, change.action)}",
    )


def _block_dependent(draft: Draft, change: Change, needed: Change) -> None:
    """Name what waits for another thing, once; what is about that one is told with it."""
    told = {item.subject for item in draft.blocked if item.code.startswith(FAILS)}
    if change.subject in told or needed.setback is None:
        return
    verb, first = sentence_of(change.action).verb, sentence_of(needed.action)
    draft.block(
        change.subject,
        code=code_of(change),
        message=f"{verb} waits for {first.subject}: {failure_of(needed)}",
        cause=change.cause,
        hint=needed.setback.hint,
    )


def _way_out(change: Change) -> str:
    """Return what a person does: mend the cause, or not ask for it."""
    hint = "mend that, then it goes on by itself"
    return (
        f"{hint}; or change what asks for it: {change.cause}" if _SPEC_LINE.fullmatch(change.cause) else hint
    )
