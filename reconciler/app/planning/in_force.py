"""The specs that are in force: those checked out or, while they have mistakes, those that apply took up last.

What only looks, and what asks something of the loop, must not fail because somebody committed a typing error
while training goes on. `plan`, `validate` and `apply` do fail: they are about the commit itself.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from reconciler.app.planning.look import View, load_commit, look, view_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed
from reconciler.app.surroundings.here import seen_from_here
from reconciler.app.surroundings.place import (
    Options,
    about_the_root,
    followed_commit,
    given_root,
    head_of,
    read_following,
    repository_of,
    root_of,
)
from reconciler.app.surroundings.realm_store import read_store
from reconciler.desired.desired import Desired
from reconciler.desired.edits import uncommitted
from reconciler.desired.git_process import SourceError, run
from reconciler.desired.git_source import Commit, resolve
from reconciler.desired.mistakes import SpecMistakesError
from state.amounts import moment
from state.layout import Layout
from state.source_status import NotInForce

MOST_COMMITS = 20
"""So far back a commit without mistakes is looked for that says where the root is."""


def look_followed(environment: Environment, options: Options) -> View:
    """Return what `look_in_force` returns, of the branch that apply follows, whatever is checked out.

    Raises:
        SpecMistakesError, SourceError, NotFound, Misused: as `look_in_force`.
    """
    options = about_the_root(environment, options)
    return look_in_force(environment, options, ref=_followed(environment, options))


def _followed(environment: Environment, options: Options) -> str:
    """Return the ref of the branch that apply follows in this repository; HEAD where it follows none here."""
    head, layout = head_of(environment, options), layout_of(environment, options)
    following = read_following(layout)
    if following is None or following.url is not None or following.branch == head.branch:
        return "HEAD"
    if Path(following.repository) != (head.top or repository_of(environment, options)):
        return "HEAD"
    try:
        followed_commit(following, layout)
    except SourceError:
        return "HEAD"  # the branch is gone: what is planned says so
    return f"refs/heads/{following.branch}"


def look_in_force(
    environment: Environment, options: Options, *, ref: str = "HEAD", worktree: bool = False
) -> View:
    """Return what `look` returns; while the commit checked out has mistakes, by the specs in force.

    Raises:
        SpecMistakesError: the specs have mistakes, and none were in force before them.
        SourceError: no repository, no commit.
        NotFound, Misused: as `look`.
    """
    options = options if worktree else about_the_root(environment, options)
    try:
        return look(environment, options, ref=ref, worktree=worktree)
    except SpecMistakesError as found:
        if worktree:
            raise
        error, head = found, head_of(environment, options, ref)
        commit, desired = last_good(environment, options, head, error)
        complaint = f"{not_in_force(head, error, commit)}; what follows is {commit.name}"
    view = view_of(environment, options, commit, desired)
    edits = uncommitted(head.top or repository_of(environment, options), head)
    facts = msgspec.structs.replace(
        view.facts, mistaken_specs=error.mistakes[0].where, not_in_force=mistaken(head, error)
    )
    return msgspec.structs.replace(view, facts=facts, uncommitted=edits, complaint=complaint)


def layout_of(environment: Environment, options: Options) -> Layout:
    """Return the realm's places; the specs are read only when nobody said where the root is.

    Raises:
        SourceError: no repository, no commit.
        SpecMistakesError: the specs have mistakes, and so have all lately.
    """
    if (given := given_root(environment, options)) is not None:
        return Layout(given)
    head = head_of(environment, options)
    try:
        realm = load_commit(environment, head).realm.spec
    except SpecMistakesError as error:
        return _layout_before(environment, options, head, error)
    return Layout(root_of(environment, options, realm, head))


def complaint_of(environment: Environment, options: Options) -> str | None:
    """Return that the specs checked out have mistakes, in one line; None when they have none."""
    try:
        head = head_of(environment, about_the_root(environment, options))
        load_commit(environment, head)
    except SpecMistakesError as error:
        return not_in_force(head, error)
    except SourceError:
        return None  # a root was named and no repository is needed
    return None


def mistaken(commit: Commit, error: SpecMistakesError) -> NotInForce:
    """Return that a commit is not in force because of its mistakes: how many, where the first one is."""
    many, where = len(error.mistakes), error.mistakes[0].where
    found = f"1 mistake, at {where}," if many == 1 else f"{many} mistakes, the first at {where},"
    why = f"its specs have {found} and are not in force (see reconcile validate)"
    return NotInForce(commit=commit.id, why=why, is_mistaken=True)


def not_in_force(head: Commit, error: SpecMistakesError, good: Commit | None = None) -> str:
    """Return which specs have how many mistakes, the first one's place, since when, and what shows them."""
    many = len(error.mistakes)
    found = "1 mistake" if many == 1 else f"{many} mistakes"
    since = since_when(good, head) if good is not None else None
    place = f"at {error.mistakes[0].where}" + (f", since {moment(since)}" if since else "")
    return (
        f"the specs at {head.name} have {found} and are not in force (see reconcile validate --ref HEAD): "
        f"{place}"
    )


def since_when(good: Commit, head: Commit) -> str | None:
    """Return when the first commit after a good one was made, ISO-8601 in UTC; None when git cannot tell."""
    for span in (f"{good.id}..{head.id}", f"{head.id}^!"):
        try:
            said = run(head.git_dir, "log", "--format=%ct", span, "--").stdout.split()
        except SourceError:
            continue
        if said:
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(said[-1])))
    return None


def last_good(
    environment: Environment, options: Options, head: Commit, error: SpecMistakesError
) -> tuple[Commit, Desired]:
    """Return the newest commit that apply took up, and what it says.

    Raises:
        SpecMistakesError: `error`, where there is none.
    """
    layout = _layout_before(environment, options, head, error)
    repository = head.top or repository_of(environment, options)
    for commit in _taken_up(layout, repository):
        try:
            return commit, seen_from_here(environment, options, load_commit(environment, commit))
        except (SourceError, SpecMistakesError):
            continue
    raise error


def _taken_up(layout: Layout, repository: Path) -> Iterator[Commit]:
    """Yield the commits that the store names as attempted and as applied, on the branch that is followed."""
    try:
        store, following = read_store(layout), read_following(layout)
    except (FileNotFoundError, Failed):
        return
    for known in (store.attempted_commit, store.applied_commit):
        if known is not None:
            try:
                commit = resolve(repository, known)
            except SourceError:
                continue  # rewritten history
            yield msgspec.structs.replace(commit, branch=following.branch if following else None)


def _layout_before(
    environment: Environment, options: Options, head: Commit, error: SpecMistakesError
) -> Layout:
    """Return the realm's places as the newest commit without mistakes says where they are."""
    if (given := given_root(environment, options)) is not None:
        return Layout(given)
    for commit in earlier_commits(head):
        try:
            realm = load_commit(environment, commit).realm.spec
        except (SourceError, SpecMistakesError):
            continue
        return Layout(root_of(environment, options, realm, commit))
    raise error


def earlier_commits(head: Commit) -> Iterator[Commit]:
    """Yield the commits before this one that are looked at for what it cannot say, newest first.

    Raises:
        SourceError: git cannot tell them.
    """
    limit = f"--max-count={MOST_COMMITS}"
    lines = run(head.git_dir, "rev-list", "--first-parent", limit, head.id, "--").stdout
    for known in lines.decode("ascii", "replace").split()[1:]:
        yield msgspec.structs.replace(head, id=known, branch=None, full_ref=None)
