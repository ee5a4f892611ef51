"""Which files of campaigns git sees as moved: asked only when one has lost its spec and a spec is new."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.desired.desired import Desired
from reconciler.desired.git_process import output
from reconciler.desired.git_source import Commit
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.renames import is_unclear, unknown_names, with_renames
from state.store.rows import StoreView

_FOLDER, _SUFFIX = "specs/campaigns/", ".yaml"
_MOST_BYTES = 16 * 1024 * 1024


def with_moved_specs(facts: Facts, desired: Desired, commit: Commit, *, worktree: bool = False) -> Facts:
    """Return the facts with each renamed campaign under its new name, those that git sees as moved, too.

    With `worktree` the specs are those of the work tree: what moved since the commit is one more commit.
    """
    if not is_unclear(desired, facts.store):
        return with_renames(facts, desired, {})
    from reconciler.plan.campaigns.unsaid import with_unsaid  # seldom needed

    newest_first = (*_moves_since(commit), *_moves(commit)) if worktree else tuple(_moves(commit))
    facts = with_renames(facts, desired, _moved(newest_first, desired, facts))
    return with_unsaid(facts, desired, _named_before(facts.store, commit))


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


def _moves(commit: Commit) -> Iterator[Mapping[str, str]]:
    """Yield the moves of each commit that made some, newest first: new name → old one."""
    said = output(
        commit.git_dir, "log", "--find-renames", "--diff-filter=R", "--name-status", "--format=%x01", "-z",
        commit.id, "--", _FOLDER, limit=_MOST_BYTES,
    )  # fmt: skip
    for block in (said or b"").decode(errors="replace").split("\x01")[1:]:
        words = [word for word in block.split("\0") if word.strip()]
        yield _named(zip(words[1::3], words[2::3], strict=False))


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
