"""What a person would do now that a plan was shown, as text: each step with its command. Pure."""

from shlex import quote
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import safe
from reconciler.plan.changes import first_obstacle
from state.amounts import moment

if TYPE_CHECKING:
    from reconciler.app.planning.plan_document import PlanDocument
    from reconciler.desired.windows import WindowClosed
    from state.lock import Holder

_DIGEST = 12
"""So many digits of a digest are enough to approve it."""
WHOLE = ("root", "source", "store")
"""What is no thing that `explain` explains: its hint is said at once."""


def next_steps(document: "PlanDocument", said: str = "") -> list[str]:
    """Return what a person would do now; `said` are the options that the plan was made with."""
    parts = []
    there = "" if document.seen_on is None else f" on {safe(document.seen_on)}"  # here is no realm then
    if document.changes:
        parts.append(_having_it_done(document, f"reconcile apply {safe(said)}".rstrip(), there))
    if document.awaiting is not None:
        digest = document.awaiting.digest.removeprefix("sha256:")[:_DIGEST]
        parts.append(f"Approve it{there}:  reconcile approve {digest}")
    if (whole := next((one for one in document.blocked if one.subject in WHOLE), None)) is not None:
        parts.append(f"Mend it:  {safe(whole.hint)}")
    elif (first := first_obstacle(document.blocked)) and not document.is_worktree and document.ref == "HEAD":
        parts.append(f"Why blocked{there}:  reconcile explain {safe(first.subject)}")
    return parts


def _having_it_done(document: "PlanDocument", apply: str, there: str) -> str:
    """Return how the changes come to be done: after a commit, a merge, or by apply."""
    if document.is_worktree:
        return f"Commit it, then:  {apply}"
    if document.is_what_apply_follows:
        return _who_does_it(document, apply, there)
    if (branch := _branch_that_has_it(document)) is not None:
        back = f"git revert {quote(f'{document.commit[:7]}..{branch}')}"
        return f"Nothing to merge: {branch} has this commit already. To go back to it:  {back}"
    into = f" into {safe(document.followed.branch)}" if document.followed else ""
    return f"Merge it{into}, then{there}:  {apply}"


def _who_does_it(document: "PlanDocument", apply: str, there: str) -> str:
    """Return how the changes come about: by the apply that runs already, else by a new one."""
    running, window = document.reconciler, document.window
    if window is not None:
        return _once_it_opens(running, window, apply)
    if running is None:
        return f"Do it{there}:  {apply}"
    who = _who_runs(running)
    if running.command.endswith("--once"):
        return f"`{safe(running.command)}` is at work ({who}); look again when it has ended"
    if "--set" in apply and not safe(running.command).startswith(apply):
        return f"The apply that runs ({who}) does it without --set; end it, then:  {apply}"
    return f"The apply that runs ({who}) does it in its next tick."


def _once_it_opens(running: "Holder | None", window: "WindowClosed", apply: str) -> str:
    """Return when changes come about that wait for a change window, and how to have them at once."""
    at_once = apply.replace("reconcile apply", "reconcile apply --any-time", 1)
    if running is None:
        return f"Do it once the window is open, {window.opens_at}; or at once:  {at_once}"
    who = f"The apply that runs ({_who_runs(running)})"
    return f"{who} does it once the window is open, {window.opens_at}; at once: end it, then:  {at_once}"


def _who_runs(running: "Holder") -> str:
    return f"pid {running.pid} on {safe(running.host)}, since {moment(safe(running.since))}"


def _branch_that_has_it(document: "PlanDocument") -> str | None:
    """Return the branch that apply follows when the commit is one of its ancestors."""
    followed = document.followed
    if followed is None or not followed.is_this_repository or followed.commit is None or followed.ahead:
        return None
    return safe(followed.branch)
