"""What a root follows: a branch of a local repository, or one that is fetched from elsewhere.

Decided when apply starts: `Take` takes the lock of the root, once it is known which root that is.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from reconciler.app.applying.fetching import Fetcher
from reconciler.app.applying.source_urls import checked_url, shown_url
from reconciler.app.applying.telling import Show
from reconciler.app.planning.in_force import last_good
from reconciler.app.planning.look import load_commit
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, Misused
from reconciler.app.surroundings.here import seen_from_here
from reconciler.app.surroundings.place import (
    Following,
    Options,
    about_the_root,
    branch_to_follow,
    followed_commit,
    given_root,
    head_of,
    is_remote,
    read_following,
    repository_of,
    root_of,
    said_root,
    ungiven_root,
    write_following,
)
from reconciler.app.surroundings.realm_store import check_store_is_there
from reconciler.app.surroundings.remembered_root import (
    KEY,
    Used,
    is_in_use,
    remember_root,
    remember_use,
    use_of_root,
)
from reconciler.desired.desired import Desired
from reconciler.desired.git_source import Commit, resolve
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.desired.realm import Realm
from reconciler.observed.disk import observe_disk
from reconciler.observed.records import RootUse
from reconciler.plan.root import (
    ELSEWHERE,
    VANISHED_HINT,
    misplaced_root,
    unwritable_root,
    vanished_root,
)
from state.layout import Layout

USUAL_BRANCH = "main"
Take = Callable[[Layout], None]


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """That a root is in use."""

    repository: Commit
    """A commit of it."""
    is_home: bool
    """It is the root that is meant where nobody names one."""
    is_new: bool
    """A person said that it is begun anew."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What apply is about; the lock of its root is held."""

    layout: Layout
    following: Following
    realm_id: str
    fetcher: Fetcher | None = None
    """Of a source elsewhere."""
    use: Use | None = None
    """What a local repository is to remember of this root, once the office is taken in it."""
    in_force: tuple[Commit, Desired] | None = None
    """Specs of before that stay in force, where those of the newest commit have mistakes."""


def begin(environment: Environment, options: Options, take: Take, show: Show) -> Begun:
    """Find the root and what it follows, take the root's lock, and remember both for later commands.

    Raises:
        Failed: the root cannot be used, follows something else, or nothing was ever fetched.
        Misused: no root is named for a source elsewhere, or its URL is none.
        SourceError, SpecMistakesError: the specs cannot be read.
    """
    is_elsewhere = options.source is not None or is_remote(environment, options)
    return (_elsewhere if is_elsewhere else _here)(environment, options, take, show)


def _here(environment: Environment, options: Options, take: Take, show: Show) -> Begun:
    head = head_of(environment, options)
    commit, desired = _good(environment, options, head)
    realm = desired.realm.spec
    layout = Layout(root_of(environment, options, realm, commit))
    _check_root(layout)
    _check_not_gone(environment, options, layout, head)
    take(layout)
    following = _follow(environment, options, layout, head, show)
    is_home = _is_home(environment, options, realm, layout, head, show)
    use = Use(repository=head, is_home=is_home, is_new=options.is_new_root)
    begun = Begun(layout=layout, following=following, realm_id=realm.id, use=use)
    if head.branch != following.branch:
        commit, desired = _good(environment, options, followed_commit(following, layout))
    return msgspec.structs.replace(begun, in_force=(commit, desired))


def _good(environment: Environment, options: Options, head: Commit) -> tuple[Commit, Desired]:
    """Return a commit and what it says; where it has mistakes, the newest one that apply took up.

    Raises:
        SpecMistakesError: it has mistakes, and none was taken up before it.
    """
    try:
        return head, seen_from_here(environment, options, load_commit(environment, head))
    except SpecMistakesError as error:
        return last_good(environment, options, head, error)


def remember(environment: Environment, options: Options, begun: Begun, show: Show) -> RootUse | None:
    """Let the local repository remember that the root is in use, and return what it remembers.

    Call it once the store is there: before that, nothing was ever in use.
    """
    if begun.use is None:
        return None
    use, used = begun.use, Used(host=environment.host, since=environment.now())
    try:
        remember_use(use.repository, begun.layout.root, used, is_home=use.is_home, is_new=use.is_new)
    except OSError as error:
        show.notice(
            f"{begun.following.repository} cannot remember its root, {begun.layout.root} ({error}): "
            "if that is away one day, it is taken for one that was never made"
        )
    is_named = given_root(environment, options) is not None
    return use_of_root(use.repository, begun.layout, environment.host, is_named=is_named)


def _elsewhere(environment: Environment, options: Options, take: Take, show: Show) -> Begun:
    if options.is_new_root:
        raise Misused(
            "--new-root is for specs in a local repository; a source elsewhere takes any empty --root"
        )
    root = given_root(environment, options)
    if root is None:
        raise Misused("--source needs a root of its own on this machine: --root DIR (or REALM_ROOT)")
    layout = Layout(root)
    _check_root(layout)
    take(layout)
    following = _follow_elsewhere(options, layout)
    fetcher = Fetcher(layout, following.url or "", following.branch, environment.now)
    found = fetcher.fetch_once()
    if found.commit is None:
        why = found.trouble.message if found.trouble else "it has no commit"
        raise Failed(f"{found.url}: {why}; nothing was ever fetched from it, so there are no specs to follow")
    if read_following(layout) is None:
        write_following(layout, following)
    if found.trouble is not None:
        show.notice(f"{found.url}: {found.trouble.message}; {found.commit[:7]} stays in force")
    head = resolve(Path(following.repository), f"refs/heads/{following.branch}")
    commit, desired = _good(environment, about_the_root(environment, options), head)
    return Begun(
        layout=layout,
        following=following,
        realm_id=desired.realm.spec.id,
        fetcher=fetcher,
        in_force=(commit, desired),
    )


def _check_root(layout: Layout) -> None:
    disk = observe_disk(layout.root)
    if (problem := misplaced_root(disk)) is not None:
        raise Failed(f"{problem}; {ELSEWHERE}")
    if (refused := unwritable_root(disk)) is not None:
        raise Failed(f"the root {'; '.join(refused)}")
    check_store_is_there(layout)


def _check_not_gone(environment: Environment, options: Options, layout: Layout, head: Commit) -> None:
    use = None if options.is_new_root else use_of_root(head, layout, environment.host, is_named=False)
    if use is not None and use.is_gone:
        gone = vanished_root(str(layout.root), use.since)
        raise Failed(f"{gone}: nothing was done; {VANISHED_HINT}")


def _follow(
    environment: Environment, options: Options, layout: Layout, head: Commit, show: Show
) -> Following:
    """Return what this root follows: what it followed before, or from now on the branch checked out."""
    repository = head.top or repository_of(environment, options)
    known = read_following(layout)
    if known is None:
        known = Following(repository=str(repository), branch=branch_to_follow(repository, head))
        write_following(layout, known)
    elif Path(known.repository) != repository:
        raise _follows_other(layout, known, str(repository))
    elif head.branch != known.branch:
        show.notice(f"follows {known.branch}, not {head.branch or 'the commit checked out'}")
    return known


def _follow_elsewhere(options: Options, layout: Layout) -> Following:
    """Return the source that this root follows: the one of before, or from now on the given one."""
    known = read_following(layout)
    if known is None:
        url = checked_url(options.source or "")
        branch = options.branch or USUAL_BRANCH
        return Following(repository=str(layout.mirror), branch=branch, url=url)
    wanted = (options.source or known.url, options.branch or known.branch)
    if wanted != (known.url, known.branch):
        raise _follows_other(layout, known, f"{shown_url(wanted[0] or '')}, branch {wanted[1]}")
    return known


def _follows_other(layout: Layout, known: Following, wanted: str) -> Failed:
    if known.url is None:
        follows, way_out = known.repository, f"correct {layout.source}"
    else:
        follows = f"{shown_url(known.url)}, branch {known.branch}"
        way_out = "leave away --source, --branch, --repo and REALM_REPO to apply what it follows"
    return Failed(
        f"the root {layout.root} follows {follows}, not {wanted}; give another --root, or {way_out}"
    )


def _is_home(
    environment: Environment, options: Options, realm: Realm, layout: Layout, head: Commit, show: Show
) -> bool:
    """Is this root the one that is meant where nobody names one, from now on?

    One that was named for this command only is remembered, unless the repository has one in use.
    """
    usual = Layout(ungiven_root(environment, realm, head))
    if usual.root == layout.root:
        return True
    if not options.is_new_root and is_in_use(usual):
        show.notice(
            f"the root of this repository, {usual.root}, is in use; --root or REALM_ROOT named {layout.root}"
        )
        return False
    if realm.root is not None:
        return said_root(environment, realm) == layout.root
    if remember_root(head, layout.root):
        show.notice(f"this repository remembers its root from now on: {layout.root} (git config {KEY})")
    return True
