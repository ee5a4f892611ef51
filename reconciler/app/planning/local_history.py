"""Does the followed branch of a local repository go on from what was taken up before?

Called by whoever plans. A branch that somebody moved back, or whose history was rewritten, is followed; but
nothing is deleted by its specs until a person says that it is meant: `reconcile refresh --accept COMMIT`.
"""

from pathlib import Path

import msgspec

from reconciler.app.surroundings.place import Following, followed_commit
from reconciler.desired.git_process import SourceError, UnknownRefError, run
from reconciler.desired.git_source import Commit
from reconciler.observed.facts import Facts
from state.amounts import count
from state.layout import Layout
from state.source_status import SourceStatus, SourceTrouble
from state.store.rows import StoreView
from state.store.tables import put_meta
from state.store.writer import Writer


def with_history(facts: Facts, following: Following, commit: Commit, now: str) -> Facts:
    """Return the facts with what is wrong with the history of a followed branch here, if anything is."""
    if following.url is not None:
        return facts
    broken = broken_history(facts.store, following, commit, now)
    return facts if broken is None else msgspec.structs.replace(facts, source=broken)


def with_lost_branch(facts: Facts, following: Following, layout: Layout, now: str) -> Facts:
    """Return the facts with what is wrong where the branch that apply follows here is gone.

    For whoever plans from another commit than this branch's, as with a detached HEAD: apply does not begin.
    """
    if following.url is not None:
        return facts
    try:
        followed_commit(following, layout)
    except UnknownRefError as error:
        return lost_to_apply(facts, following, error, now)
    except SourceError:
        return facts  # another repository, not to be read from here
    return facts


def lost_to_apply(facts: Facts, following: Following, error: SourceError, now: str) -> Facts:
    """Return the facts with why the branch here cannot be read: nobody knows what its specs say by now."""
    if following.url is not None:
        return facts  # who fetches it says what is wrong with it
    is_gone = isinstance(error, UnknownRefError)
    message = f"apply follows the branch {following.branch}, which is not there any more"
    lost = SourceStatus(
        url=following.repository,
        branch=following.branch,
        tried_at=now,
        commit=_trusted(facts.store, following),
        trouble=SourceTrouble(
            code="branch-gone" if is_gone else "no-access",
            message=message if is_gone else f"the branch that apply follows cannot be read: {error}",
            since=now,
        ),
        is_local=True,
    )
    return msgspec.structs.replace(facts, source=lost)


def broken_history(store: StoreView, following: Following, commit: Commit, now: str) -> SourceStatus | None:
    """Return why the followed branch does not go on from what was taken up before; None: it does."""
    known = _trusted(store, following)
    if known is None or commit.id == known or _is_accepted(store, commit):
        return None
    trouble = _trouble(commit, known, now)
    if trouble is None:
        return None
    return SourceStatus(
        url=following.repository,
        branch=following.branch,
        tried_at=now,
        commit=known,
        offered=commit.id,
        trouble=trouble,
        is_local=True,
    )


def remember_history(writer: Writer, facts: Facts, following: Following, commit: Commit) -> None:
    """Write down, before a commit is attempted, what later ones have to go on from."""
    if following.url is not None:
        return
    store, branch = facts.store, following.branch
    known = commit.id if facts.source is None else _trusted(store, following)
    if known is not None and (known, branch) != (store.trusted_commit, store.trusted_branch):
        with writer.transaction() as connection:
            put_meta(connection, "trusted_commit", known)
            put_meta(connection, "trusted_branch", branch)


def _trusted(store: StoreView, following: Following) -> str | None:
    """Return the commit from which the followed branch has to go on; None: any commit does.

    Who writes another branch into `source.json` wants to follow that one, wherever it comes from.
    """
    if store.trusted_branch not in (None, following.branch):
        return None
    return store.trusted_commit or store.attempted_commit


def _is_accepted(store: StoreView, commit: Commit) -> bool:
    from state.store.refreshes import accepted_commits

    return any(commit.id.startswith(one) for one in accepted_commits(store.requests))


def _trouble(commit: Commit, known: str, now: str) -> SourceTrouble | None:
    """Return why a commit does not go on from a known one; None: it does, or says the same."""
    place = commit.git_dir
    if run(place, "merge-base", "--is-ancestor", known, commit.id).returncode == 0:
        return None
    trees = run(place, "rev-parse", "--verify", "-q", f"{known}:specs").stdout
    if trees and trees == run(place, "rev-parse", "--verify", "-q", f"{commit.id}:specs").stdout:
        return None
    what = f"{commit.name} does not go on from {known[:7]}, which was taken up before"
    if _is_shallow(place):
        return SourceTrouble(code="shallow", message=f"{what}, as far as this shallow clone shows", since=now)
    lost = run(place, "rev-list", "--count", f"{commit.id}..{known}", "--").stdout.strip()
    if not lost:
        return SourceTrouble(code="commit-gone", message=f"{what} and is not here any more", since=now)
    lacks = f"it lacks {count(int(lost), 'commit')} that led there"
    return SourceTrouble(code="rewritten", message=f"{what}: {lacks}", since=now)


def _is_shallow(place: Path) -> bool:
    return run(place, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
