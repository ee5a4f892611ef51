"""Perform the changes of a plan, one after another: intent, effect, record.

A change whose needs did not succeed is skipped; one that fails does not stop those that do not need it.
Damage that one finds stops what would still go of that campaign: the next plan judges that.
Every executor may be killed at any point and run again, so nothing here replays or undoes anything.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from reconciler.act.asked import watch_requests
from reconciler.act.errors import FOREIGN, ActionFailed, Permanent, translate
from reconciler.act.fresh_damage import FreshDamage
from reconciler.act.job_history import settle_history
from reconciler.act.journal import Journal, close_orphans, make_durable_after_failure
from reconciler.act.registry import EXECUTORS, Executor
from reconciler.act.tools import Tools
from reconciler.plan.actions import Action, CallOffDeletion, RestoreCheckpoint
from reconciler.plan.changes import Change
from state.store.journal_rows import BROKEN_OFF, ActionRow

_TAKES_BACK = (RestoreCheckpoint, CallOffDeletion)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a change ended."""

    change: Change
    ok: bool
    text: str
    """One line for people: what happened, or why not."""
    seconds: float
    skipped: bool = False
    """Not begun: what it needs did not succeed, or damage of its campaign was found meanwhile."""
    permanent: bool = False
    """Failed, and will fail again until someone changes something."""


def _silent(_change: Change) -> None:
    pass


def perform(
    changes: Sequence[Change],
    tools: Tools,
    *,
    specs_commit: str,
    plan_digest: str | None = None,
    on_begin: Callable[[Change], None] = _silent,
    executors: Mapping[type[Action], Executor] = EXECUTORS,
) -> Iterator[Outcome]:
    """Perform the changes in their order, yielding each outcome as it happens.

    Stops before the next change when `tools.interrupted()` says so, or when a person asked for something that
    this plan does not know; what is left out is planned again.

    Raises:
        LostLock: another reconciler took over; nothing more is done.
        KeyboardInterrupt: passed on, with the action closed as interrupted.
    """
    if not changes:
        return
    try:
        fresh = _begin(tools, changes)
    except ActionFailed as error:
        yield from (_not_begun(change, f"not begun: {error}") for change in changes)
        return
    tools = msgspec.structs.replace(tools, asked=watch_requests(tools.layout, tools.known_requests))
    journal = Journal(tools.writer, specs_commit, plan_digest)
    failed: set[str] = set()
    for change in changes:
        if tools.interrupted() or tools.asked():
            return
        if (why := _why_not(change, failed, fresh)) is not None:
            outcome = _not_begun(change, why)
        else:
            outcome = _perform_one(change, tools, journal, fresh, on_begin, executors)
        if not outcome.ok:
            failed.add(change.id)
        yield outcome


def _begin(tools: Tools, changes: Sequence[Change]) -> FreshDamage:
    """Close what was begun, make what it did durable before anything is built on it, pay what is owed."""
    try:
        close_orphans(tools.writer, tools.now())
        make_durable_after_failure(tools.writer, tools.layout)
        settle_history(tools)
        return FreshDamage(tools.writer, changes)
    except FOREIGN as error:
        raise translate(error) from error


def _why_not(change: Change, failed: set[str], fresh: FreshDamage) -> str | None:
    """Return why a change is not begun; None: nothing stands against it."""
    if missing := change.waits_on(failed):
        return f"not begun: {len(missing)} of what it needs did not succeed"
    try:
        held = fresh.why_held(change)
    except FOREIGN as error:
        return f"not begun: {translate(error)}"
    return held and f"not begun: {held}; nothing more of its campaign goes before the next plan"


def _perform_one(
    change: Change,
    tools: Tools,
    journal: Journal,
    fresh: FreshDamage,
    on_begin: Callable[[Change], None],
    executors: Mapping[type[Action], Executor],
) -> Outcome:
    on_begin(change)
    begun = time.monotonic()
    try:
        text = _journalled(change, tools, journal, executors[type(change.action)])
    except ActionFailed as error:
        fresh.learn(change, error)
        permanent = isinstance(error, Permanent)
        return Outcome(change=change, ok=False, text=str(error), seconds=_since(begun), permanent=permanent)
    return Outcome(change=change, ok=True, text=text, seconds=_since(begun))


def _not_begun(change: Change, why: str) -> Outcome:
    return Outcome(change=change, ok=False, text=why, seconds=0.0, skipped=True)


def _journalled(change: Change, tools: Tools, journal: Journal, executor: Executor) -> str:
    """Return what the executor says it did, between the two rows of the journal.

    Raises:
        ActionFailed: it was not done, or could not be written down; the next plan sees which.
    """
    try:
        row = journal.begin(change, tools.now())
        text = _execute(change.action, tools, journal, row, executor)
        journal.end(row, "done", text, tools.now())
    except FOREIGN as error:
        raise translate(error) from error
    return text


def _execute(action: Action, tools: Tools, journal: Journal, row: ActionRow, executor: Executor) -> str:
    """Run the executor; when it does not return, the row says why.

    Before something goes or comes back, a file says that it begins: a copy of the store from before is older
    then, even after a kill.
    """
    try:
        if action.destroys or isinstance(action, _TAKES_BACK):
            journal.say_begun()
        return executor(action, tools)
    except ActionFailed as error:
        journal.end(row, "failed", str(error), tools.now(), permanent=isinstance(error, Permanent))
        raise
    except FOREIGN as error:
        failure = translate(error)
        journal.end(row, "failed", str(failure), tools.now(), permanent=isinstance(failure, Permanent))
        raise failure from error
    except BaseException as error:
        asked = isinstance(error, KeyboardInterrupt)
        with suppress(*FOREIGN):  # then the row stays open, and the next writer closes it
            journal.end(row, "failed", BROKEN_OFF if asked else f"internal error: {error!r}", tools.now())
        raise


def _since(begun: float) -> float:
    return time.monotonic() - begun
