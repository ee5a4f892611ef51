"""Change windows: outside of them the commit that was taken up last stays in force, with all that follows.

The windows that count are those of the specs in force: a commit cannot open them for itself.
"""

import msgspec

from reconciler.app.planning.look import View, load_commit
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.here import seen_from_here
from reconciler.app.surroundings.place import Options
from reconciler.desired.desired import Desired
from reconciler.desired.git_process import SourceError
from reconciler.desired.git_source import Commit, resolve
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.desired.windows import closed_until


def opens_at(desired: Desired, now: str) -> str | None:
    """Return when new commits are taken up again, in UTC; None: now."""
    windows = desired.realm.spec.apply.windows
    return closed_until(windows, now) if windows else None


def taken_up_before(
    environment: Environment, options: Options, head: Commit, known: str | None
) -> tuple[Commit, Desired] | None:
    """Return the commit that was taken up last, and what it says; None: it is `head`, or cannot be read."""
    if known is None or known == head.id:
        return None
    try:
        commit = msgspec.structs.replace(resolve(head.top or head.git_dir, known), branch=head.branch)
        return commit, seen_from_here(environment, options, load_commit(environment, commit))
    except (SourceError, SpecMistakesError):
        return None


def waits_text(commit: Commit, in_force: Commit, opens: str) -> str:
    """Return which commit waits, until when, and how to have it at once."""
    return (
        f"{commit.name} waits for the change window, which opens at {opens}; {in_force.name} stays in force "
        "(at once: reconcile apply --any-time)"
    )


def with_window(environment: Environment, options: Options, view: View) -> View:
    """Return the view with a warning where its commit waits for a change window."""
    following = view.following
    if following is None or following.branch != view.commit.branch or view.is_snapshot:
        return view
    known = taken_up_before(environment, options, view.commit, view.facts.store.attempted_commit)
    opens = opens_at(known[1], view.seen_at) if known is not None else None
    if known is None or opens is None:
        return view
    warnings = (*view.plan.warnings, waits_text(view.commit, known[0], opens))
    return msgspec.structs.replace(view, plan=msgspec.structs.replace(view.plan, warnings=warnings))
