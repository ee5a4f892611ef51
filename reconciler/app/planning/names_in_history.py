"""Whose names the campaigns of the specs are, by what moved in git since the store's names were certain."""

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

from reconciler.app.planning.moves_since import moves_since
from reconciler.app.planning.spec_log import FOLDER, campaigns_with_a_spec, moves_by_commit, moves_of
from reconciler.desired.desired import Desired
from reconciler.desired.git_process import SourceError
from reconciler.desired.git_source import Commit
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.renames import is_unclear, unknown_names, with_renames
from reconciler.plan.campaigns.traces import Moves, chained, corrected, trace, trace_back
from reconciler.plan.campaigns.unsaid import with_unsaid
from state.store.rows import StoreView


def with_names_in_history(facts: Facts, desired: Desired, commit: Commit, *, worktree: bool) -> Facts:
    """Return the facts with each renamed campaign under its new name, and the pairs that nothing decides."""
    store = facts.store
    uncommitted = _uncommitted_moves(commit) if worktree else _Uncommitted({}, {})
    traced = _traced(store, commit, uncommitted)
    if store.last_names_commit is not None and any(row.former for row in store.campaigns):
        from reconciler.app.planning.exchanged_back import with_kept_names  # seldom needed

        facts = with_kept_names(facts, desired, commit, store.last_names_commit)
    if not is_unclear(desired, store):
        return with_renames(facts, desired, traced.sure, traced.doubtful)
    newest_first = (uncommitted.by_moves, *_all_moves(commit))
    moved = _last_known_names(newest_first, desired, store)
    facts = with_renames(facts, desired, {**moved, **traced.sure}, traced.doubtful)
    last = store.last_names_commit
    return with_unsaid(facts, desired, campaigns_with_a_spec(commit, last) if last is not None else None)


def _all_moves(commit: Commit) -> Iterable[Moves]:
    """Return all moves that led to a commit, newest first; none where git lacks what it would need."""
    try:
        return moves_by_commit(commit).values()
    except SourceError:
        return ()


class _Uncommitted(NamedTuple):
    """What the work tree moves on top of HEAD, as git says and as the files read."""

    by_moves: Moves
    by_contents: Moves


def _uncommitted_moves(commit: Commit) -> _Uncommitted:
    from reconciler.app.planning.worktree_moves import moved_in_worktree  # only a preview asks

    found = moved_in_worktree(commit, FOLDER)
    moves = moves_of(found.by_git)
    return _Uncommitted(moves, corrected(moves, moves_of(found.rewritten)))


class _Traced(NamedTuple):
    """Names that moves lead to, new name → the name that its campaign has in the store."""

    sure: Moves
    doubtful: Moves
    """Where git's moves and the contents of the files lead to different campaigns."""


def _traced(store: StoreView, commit: Commit, uncommitted: _Uncommitted) -> _Traced:
    """Follow every move since the last commit whose names the store took up, back and forth."""
    last = store.last_names_commit
    if last is None:
        return _Traced({}, {})
    found = moves_since(commit, last)
    undone = trace_back(found.undone)
    by_moves = trace([*found.by_git, uncommitted.by_moves])
    by_contents = trace([*found.by_contents, uncommitted.by_contents])
    return _compared(store, chained(undone, by_moves), chained(undone, by_contents))


def _compared(
    store: StoreView, by_moves: dict[str, str | None], by_contents: dict[str, str | None]
) -> _Traced:
    """Tell the names where both ways lead to one campaign from those where they do not."""
    name_now = {store.renamed_since.get(row.uid, row.name): row.name for row in store.campaigns}
    sure: dict[str, str] = {}
    doubtful: dict[str, str] = {}
    for name in {**by_moves, **by_contents}:
        was, reads_like = by_moves.get(name, name), by_contents.get(name, name)
        if reads_like is not None and reads_like in name_now:
            found = sure if was == reads_like else doubtful
            found[name] = name_now[reads_like]
    return _Traced(sure, doubtful)


def _last_known_names(newest_first: Sequence[Moves], desired: Desired, store: StoreView) -> dict[str, str]:
    """Return new name → the name of a campaign that has no spec any more, as far as history goes."""
    left = {row.name for row in store.campaigns} - desired.campaigns.keys()
    found = {name: _first_of(left, name, newest_first) for name in unknown_names(desired, store)}
    return {name: before for name, before in found.items() if before is not None}


def _first_of(wanted: Set[str], name: str, newest_first: Sequence[Moves]) -> str | None:
    """Return the first of the wanted names that a spec had on its way back through history."""
    for moves in newest_first:
        name = moves.get(name, name)
        if name in wanted:
            return name
    return None
