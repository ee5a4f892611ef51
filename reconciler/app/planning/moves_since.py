"""What became of the specs' files between two commits: commit by commit, or in one step where history is cut.

A shallow clone lacks commits, a partial one the files of older commits. Then the two commits themselves are
compared, both of which were checked out here once; and where that fails, too, nobody can tell.
"""

from typing import NamedTuple

from reconciler.app.planning.rewritten_specs import rewrites_between, rewrites_by_commit
from reconciler.app.planning.spec_log import moves_between, moves_by_commit
from reconciler.desired.git_process import SourceError, run
from reconciler.desired.git_source import Commit
from reconciler.plan.campaigns.traces import Moves, corrected

_OF_A_SHALLOW_ONE = ("shallow", "commondir")
"""Files of which a shallow clone has one; a linked work tree has the second, and git is asked."""


class MovesSince(NamedTuple):
    """Steps, oldest first; each as git says, and as the contents of the files read."""

    undone: tuple[Moves, ...] = ()
    """What only the older commit has, newest first: a branch that was moved back leaves it."""
    by_git: tuple[Moves, ...] = ()
    by_contents: tuple[Moves, ...] = ()


def moves_since(commit: Commit, last: str) -> MovesSince:
    """Return what moved from the commit `last` to this one; nothing where git cannot tell."""
    try:
        if not _is_cut(commit, last):
            return _by_commit(commit, last)
    except SourceError:
        pass  # a file of a commit between is not here, or that commit is gone
    try:
        return _in_one_step(commit, last)
    except SourceError:
        return MovesSince()


def _is_cut(commit: Commit, last: str) -> bool:
    """Does a shallow clone not show what led from one commit to the other?"""
    if not any((commit.git_dir / name).exists() for name in _OF_A_SHALLOW_ONE):
        return False
    said = run(commit.git_dir, "rev-parse", "--is-shallow-repository").stdout
    is_ancestor = ("merge-base", "--is-ancestor", last, commit.id)
    return said.strip() == b"true" and run(commit.git_dir, *is_ancestor).returncode != 0


def _by_commit(commit: Commit, last: str) -> MovesSince:
    undone = moves_by_commit(commit, f"{commit.id}..{last}").values()
    span = f"{last}..{commit.id}"
    git_says = moves_by_commit(commit, span)
    newest_first = [(git_says.get(by, {}), rewrites) for by, rewrites in rewrites_by_commit(commit, span)]
    steps = newest_first[::-1]
    return MovesSince(
        undone=tuple(undone),
        by_git=tuple(moves for moves, _ in steps),
        by_contents=tuple(corrected(moves, rewrites) for moves, rewrites in steps),
    )


def _in_one_step(commit: Commit, last: str) -> MovesSince:
    moves = moves_between(commit, last)
    return MovesSince((), (moves,), (corrected(moves, rewrites_between(commit, last)),))
