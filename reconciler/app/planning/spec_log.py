"""What git's log says of the specs of campaigns, commit by commit: files, told as names of campaigns."""

from collections.abc import Iterable, Iterator

from reconciler.desired.git_process import SourceError, output
from reconciler.desired.git_source import Commit
from reconciler.plan.campaigns.traces import Moves

FOLDER = "specs/campaigns/"
_SUFFIX = ".yaml"
_MOST_BYTES = 16 * 1024 * 1024
_MOVES = ("--find-renames", "--diff-filter=R", "--name-status")


def moves_by_commit(commit: Commit, span: str | None = None) -> dict[str, Moves]:
    """Return commit → the moves that git sees in it, newest first.

    `span`: two commits as `A..B`; without it all that led to this commit.

    Raises:
        SourceError: a commit, or what was in it, is not here.
    """
    found = {}
    for changed_by, words in logged(commit, span or commit.id, *_MOVES):
        found[changed_by] = moves_of(zip(words[1::3], words[2::3], strict=False))
    return found


def moves_between(commit: Commit, before: str) -> Moves:
    """Return the moves that git sees where it compares two commits alone.

    Raises:
        SourceError: the one before, or a file of it, is not here.
    """
    words = compared(commit, before, *_MOVES)
    return moves_of(zip(words[1::3], words[2::3], strict=False))


def logged(commit: Commit, span: str, *options: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each commit of the span that changed a spec, newest first, with git's words about its files.

    Raises:
        SourceError: a commit, or what was in it, is not here.
    """
    said = _said(
        commit, "log", "--no-show-signature", "--topo-order", "--format=%x01%H", "-z", *options, span
    )
    for block in said.split("\x01")[1:]:
        changed_by, *words = [word.strip() for word in block.split("\0") if word.strip()]
        yield changed_by, words


def compared(commit: Commit, before: str, *options: str) -> list[str]:
    """Return git's words about the specs in which a commit differs from one before it.

    Raises:
        SourceError: the one before, or a file of it, is not here.
    """
    said = _said(commit, "diff-tree", "-r", "-z", *options, before, commit.id)
    return [word for word in said.split("\0") if word]


def _said(commit: Commit, *words: str) -> str:
    said = output(commit.git_dir, *words, "--", FOLDER, limit=_MOST_BYTES)
    if said is None:
        raise SourceError(f"{commit.git_dir}: git {words[0]} cannot tell how {FOLDER} came to be")
    return said.decode(errors="replace")


def moves_of(paths: Iterable[tuple[str, str]]) -> Moves:
    """Return the moves of these files, given as (old path, new path), that are specs of campaigns."""
    names = ((_campaign_of(old), _campaign_of(new)) for old, new in paths)
    return {new: old for old, new in names if old is not None and new is not None}


def campaigns_with_a_spec(commit: Commit, at: str) -> frozenset[str] | None:
    """Return the campaigns that have a spec in the commit `at`; None: git does not know that commit."""
    listed = output(commit.git_dir, "ls-tree", "-r", "--name-only", "-z", at, "--", FOLDER, limit=_MOST_BYTES)
    if listed is None:
        return None
    names = map(_campaign_of, listed.decode(errors="replace").split("\0"))
    return frozenset(name for name in names if name is not None)


def _campaign_of(path: str) -> str | None:
    is_spec = path.startswith(FOLDER) and path.endswith(_SUFFIX)
    return path.removeprefix(FOLDER).removesuffix(_SUFFIX) if is_spec else None
