"""Which files of campaigns git sees as moved: asked only when one has lost its spec and a spec is new."""

from collections.abc import Iterator, Mapping

from reconciler.desired.desired import Desired
from reconciler.desired.git_process import output
from reconciler.desired.git_source import Commit
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.renames import is_unclear, unknown_names, with_renames

_FOLDER, _SUFFIX = "specs/campaigns/", ".yaml"
_MOST_BYTES = 16 * 1024 * 1024


def with_moved_specs(facts: Facts, desired: Desired, commit: Commit) -> Facts:
    """Return the facts with each renamed campaign under its new name, those that git sees as moved, too."""
    moved = _moved(commit, desired, facts) if is_unclear(desired, facts.store) else {}
    return with_renames(facts, desired, moved)


def _moved(commit: Commit, desired: Desired, facts: Facts) -> dict[str, str]:
    """Return new name → the name of a campaign that has no spec any more, as far as history goes."""
    left = {row.name for row in facts.store.campaigns} - desired.campaigns.keys()
    newest_first = tuple(_moves(commit))
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
        names = [_name(path) for path in words]
        triples = zip(names[1::3], names[2::3], strict=False)
        yield {new: old for old, new in triples if old is not None and new is not None}


def _name(path: str) -> str | None:
    is_spec = path.startswith(_FOLDER) and path.endswith(_SUFFIX)
    return path.removeprefix(_FOLDER).removesuffix(_SUFFIX) if is_spec else None
