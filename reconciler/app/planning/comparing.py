"""How the commit that is looked at stands to what apply follows."""

from pathlib import Path

import msgspec

from reconciler.app.planning.look import View
from reconciler.desired.git_source import ahead_behind, resolve


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """The branch that apply follows, seen from the commit that is looked at."""

    branch: str
    commit: str | None
    """None when the branch is not there any more."""
    repository: str
    is_this_repository: bool
    ahead: int = 0
    """Commits that only the one looked at has."""
    behind: int = 0
    """Commits that only the branch has."""


def compare(view: View) -> Followed | None:
    """Return how the view's commit stands to the branch that apply follows; None before the first apply.

    Costs no git process when the branch looked at is the one followed.
    """
    following = view.following
    if following is None:
        return None
    here = view.commit.top or view.commit.git_dir
    same = Path(following.repository) == here
    if same and view.commit.branch == following.branch:
        return Followed(
            branch=following.branch,
            commit=view.commit.id,
            repository=following.repository,
            is_this_repository=True,
        )
    return _compare(view, Path(following.repository), following.branch, same=same)


def _compare(view: View, repository: Path, branch: str, *, same: bool) -> Followed:
    from reconciler.desired.git_process import SourceError

    try:
        tip = _tip(repository, branch, is_clone=view.is_snapshot)
        ahead, behind = ahead_behind(repository, tip, view.commit.id) if same else (0, 0)
    except SourceError:
        return Followed(branch=branch, commit=None, repository=str(repository), is_this_repository=same)
    return Followed(
        branch=branch,
        commit=tip,
        repository=str(repository),
        is_this_repository=same,
        ahead=ahead,
        behind=behind,
    )


def _tip(repository: Path, branch: str, *, is_clone: bool) -> str:
    """Return the commit of a branch; in a clone that has only another one checked out, as it was fetched."""
    from reconciler.desired.git_process import SourceError

    try:
        return resolve(repository, f"refs/heads/{branch}").id
    except SourceError:
        if not is_clone:
            raise
        return resolve(repository, f"refs/remotes/origin/{branch}").id
