"""Change windows: outside of them the commit that was taken up last stays in force, with all that follows.

The windows that count are those of the specs in force: a commit cannot open them for itself.
"""

import msgspec

from reconciler.app.planning.look import View, load_commit, view_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.here import seen_from_here
from reconciler.app.surroundings.place import Options
from reconciler.desired.desired import Desired
from reconciler.desired.git_process import SourceError
from reconciler.desired.git_source import Commit, resolve
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.desired.windows import WindowClosed, closed_until


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


def window_closed(commit: Commit, before: tuple[Commit, Desired], now: str) -> WindowClosed | None:
    """Return that a commit waits for a change window of the one in force; None: one is open."""
    in_force, desired = before
    opens = opens_at(desired, now)
    if opens is None:
        return None
    return WindowClosed(
        commit_name=commit.name,
        in_force_name=in_force.name,
        opens_at=opens,
        cause=desired.realm.where("apply", "windows"),
    )


def with_window(environment: Environment, options: Options, view: View) -> View:
    """Return the view with a warning where its commit waits for a change window."""
    known = _before(environment, options, view)
    window = window_closed(view.commit, known, view.seen_at) if known is not None else None
    if window is None:
        return view
    plan = msgspec.structs.replace(view.plan, warnings=(*view.plan.warnings, window.text))
    return msgspec.structs.replace(view, plan=plan, window=window)


def view_in_force(environment: Environment, options: Options, view: View) -> View | None:
    """Return the view of the commit that stays in force while that of `view` waits; None: it does not."""
    if view.window is None or (known := _before(environment, options, view)) is None:
        return None
    seen = view_of(environment, options, *known)
    return msgspec.structs.replace(seen, window=view.window)


def _before(environment: Environment, options: Options, view: View) -> tuple[Commit, Desired] | None:
    """Return what apply took up before the view's commit; None where it does not follow that one's branch."""
    following = view.following
    if following is None or following.branch != view.commit.branch or view.is_snapshot:
        return None
    return taken_up_before(environment, options, view.commit, view.facts.store.attempted_commit)
