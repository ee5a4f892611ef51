"""Which files of campaigns git sees as moved: asked only when one has lost its spec and a spec is new."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.desired.desired import Desired
from reconciler.desired.git_process import output
from reconciler.desired.git_source import Commit
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.renames import is_unclear, unknown_names, with_renames
from reconciler.plan.campaigns.traces import chained, corrected, trace, trace_back
from state.store.rows import StoreView

_FOLDER, _SUFFIX = "specs/campaigns/", ".yaml"
_MOST_BYTES = 16 * 1024 * 1024


def with_moved_specs(facts: Facts, desired: Desired, commit: Commit, *, worktree: bool = False) -> Facts:
    """Return the facts with each renamed campaign under its new name, those that git sees as moved, too.

    With `worktree` the specs are those of the work tree: what moved since the commit is one more commit.
    """
    store = facts.store
    known = store.named_commit or store.attempted_commit
    if not worktree and known in (None, commit.id) and not is_unclear(desired, store):
        return with_renames(facts, desired, {})
    from reconciler.plan.campaigns.unsaid import with_unsaid  # seldom needed

    edits = tuple(_moves_since(commit)) if worktree else ()
    traced = _traced(store, commit, edits) if known is not None else Traced({}, {})
    if not is_unclear(desired, store):
        return with_renames(facts, desired, traced.sure, traced.doubtful)
    moved = _moved((*edits, *_moves(commit).values()), desired, facts)
    facts = with_renames(facts, desired, {**moved, **traced.sure}, traced.doubtful)
    return with_unsaid(facts, desired, _named_before(facts.store, commit))


class Traced(NamedTuple):
    """New name → the name that its campaign has in the store, by the moves since names were certain."""

    sure: Mapping[str, str]
    doubtful: Mapping[str, str]
    """Where git and the contents of the files do not say the same."""


def _traced(store: StoreView, commit: Commit, edits: Sequence[Mapping[str, str]]) -> Traced:
    from reconciler.app.planning.rewritten_specs import (
        read_alike,
    )  # only after a commit, until it is taken up

    known = store.named_commit or store.attempted_commit
    undone, done = f"{commit.id}..{known}", f"{known}..{commit.id}"
    moves = _moves(commit, done)
    alike = [
        (one, _named((old, new) for new, old in found.items()))
        for one, found in read_alike(commit, done, _FOLDER)
    ]
    back = trace_back(_moves(commit, undone).values())
    as_git_says = [moves.get(one, {}) for one, _ in alike]
    as_they_read = [corrected(moves.get(one, {}), found) for one, found in alike]
    whose, likely = (
        chained(back, trace((*reversed(steps), *reversed(edits)))) for steps in (as_git_says, as_they_read)
    )
    called = {store.renamed_since.get(row.uid, row.name): row.name for row in store.campaigns}
    names = {name: (whose.get(name, name), likely.get(name, name)) for name in {**whose, **likely}}
    return Traced(
        sure={name: called[old] for name, (old, read) in names.items() if old == read and old in called},
        doubtful={
            name: called[read] for name, (old, read) in names.items() if old != read and read in called
        },
    )


def _named_before(store: StoreView, commit: Commit) -> frozenset[str] | None:
    """Return the campaigns that had a spec at the last commit that was taken up; None: nobody can tell."""
    known = store.named_commit or store.attempted_commit
    if known is None:
        return None
    listed = output(
        commit.git_dir, "ls-tree", "-r", "--name-only", "-z", known, "--", _FOLDER, limit=_MOST_BYTES
    )
    if listed is None:
        return None
    names = (_name(path) for path in listed.decode(errors="replace").split("\0"))
    return frozenset(name for name in names if name is not None)


def _moved(newest_first: Sequence[Mapping[str, str]], desired: Desired, facts: Facts) -> dict[str, str]:
    """Return new name → the name of a campaign that has no spec any more, as far as history goes."""
    left = {row.name for row in facts.store.campaigns} - desired.campaigns.keys()
    found = {}
    for name in unknown_names(desired, facts.store):
        now = name
        for moves in newest_first:
            now = moves.get(now, now)
            if now in left:
                found[name] = now
                break
    return found


def _moves(commit: Commit, span: str | None = None) -> dict[str, Mapping[str, str]]:
    """Return what each commit moved, newest first: its id, and new name → old one; `span`: A..B."""
    said = output(
        commit.git_dir, "log", "--find-renames", "--diff-filter=R", "--name-status", "--format=%x01%H", "-z",
        "--topo-order", span or commit.id, "--", _FOLDER, limit=_MOST_BYTES,
    )  # fmt: skip
    found = {}
    for block in (said or b"").decode(errors="replace").split("\x01")[1:]:
        made_by, *words = [word.strip() for word in block.split("\0") if word.strip()]
        found[made_by] = _named(zip(words[1::3], words[2::3], strict=False))
    return found


def _moves_since(commit: Commit) -> Iterator[Mapping[str, str]]:
    """Yield the moves that the work tree makes on top of the commit."""
    from reconciler.app.planning.worktree_moves import moved_in_worktree  # only a preview of a rename asks

    yield _named(moved_in_worktree(commit, _FOLDER))


def _named(moves: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    pairs = ((_name(old), _name(new)) for old, new in moves)
    return {new: old for old, new in pairs if old is not None and new is not None}


def _name(path: str) -> str | None:
    is_spec = path.startswith(_FOLDER) and path.endswith(_SUFFIX)
    return path.removeprefix(_FOLDER).removesuffix(_SUFFIX) if is_spec else None
