"""Whose file a spec reads like, where one commit gave several specs each other's contents.

git pairs only files that came with files that left. Where names are swapped in one commit every file stays,
and in a chain of them git pairs the first with the last. So the contents are compared, names apart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from reconciler.app.planning.spec_log import compared, logged, moves_of
from reconciler.desired.git_process import ObjectReader
from reconciler.desired.git_source import Commit
from reconciler.desired.tree import MAX_BYTES
from reconciler.plan.campaigns.traces import Moves

_LINES_WITH_NAMES = (b"id:", b"was:")
_NO_BLOB = {"0"}
_RAW = ("--no-renames", "--raw", "--no-abbrev")
_MOST_COMPARED = 50
"""Of more files that one commit changed, those that were edited besides are not compared with all others."""
Lines = tuple[bytes, ...]
Blobs = Mapping[str, str]
"""Path → blob, of the files that a commit changed, on one side of it."""


def rewrites_by_commit(commit: Commit, span: str) -> Iterator[tuple[str, Moves]]:
    """Yield each commit that changed a spec, newest first: its id, and whose content specs have now.

    New name → old one; empty where no spec that stayed has what another one had.

    Raises:
        SourceError: a commit, or what was in it, is not here.
    """
    with ObjectReader(commit.git_dir) as reader:
        for changed_by, words in logged(commit, span, *_RAW):
            yield changed_by, _rewrites(reader, words)


def rewrites_between(commit: Commit, before: str) -> Moves:
    """Return the same of two commits that are compared alone.

    Raises:
        SourceError: the one before, or a file of it, is not here.
    """
    with ObjectReader(commit.git_dir) as reader:
        return _rewrites(reader, compared(commit, before, *_RAW))


def _rewrites(reader: ObjectReader, words: Sequence[str]) -> Moves:
    before, after = _sides(words)
    can_be_exchanged = len(before) > 1 and before.keys() & after.keys()
    sides = (before, after) if can_be_exchanged else ({}, {})
    return moves_of(rewritten(*(_contents(reader, blobs) for blobs in sides)))


def _sides(words: Sequence[str]) -> tuple[Blobs, Blobs]:
    """Return the files before and after, of `:<modes> <old blob> <new blob> <status>` and a path for each."""
    before, after = {}, {}
    for about, path in zip(words[::2], words[1::2], strict=False):
        old, new = about.split()[2:4]
        if set(old) != _NO_BLOB:
            before[path] = old
        if set(new) != _NO_BLOB:
            after[path] = new
    return before, after


def _contents(reader: ObjectReader, blobs: Blobs) -> dict[str, bytes]:
    return {path: reader.read(blob, "blob", MAX_BYTES) for path, blob in blobs.items()}


def _without_names(content: bytes) -> Lines:
    lines = content.splitlines()
    return tuple(line.rstrip() for line in lines if not line.startswith(_LINES_WITH_NAMES))


def rewritten(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return (old path, new path) where a file has what one other had, which left or was given another's.

    `before`, `after`: path → content of the files that changed; the lines in which they say their names count
    for nothing. One that was edited besides reads like the other where that had more of its lines than it had
    itself. Nothing where only files that came read like files that left: git pairs those itself.
    """
    had = {path: _without_names(content) for path, content in before.items()}
    now = {path: _without_names(content) for path, content in after.items()}
    read_like = _alike(had, now)
    edited = [path for path in now if path in had and path not in read_like]
    for path in edited if len(edited) <= _MOST_COMPARED else ():
        others = had.keys() - {path, *read_like.values()}
        if (nearest := _nearest(now[path], {old: had[old] for old in others}, had[path])) is not None:
            read_like[path] = nearest
    while copies := [new for new, old in read_like.items() if old in after and old not in read_like]:
        for new in copies:
            del read_like[new]
    return [(old, new) for new, old in read_like.items()] if read_like.keys() & before.keys() else []


def _alike(had: Mapping[str, Lines], now: Mapping[str, Lines]) -> dict[str, str]:
    """Return new path → the one other that had the very same lines."""
    who_had: defaultdict[Lines, list[str]] = defaultdict(list)
    for path, content in had.items():
        who_had[content].append(path)
    alike = ((path, who_had.get(content, [])) for path, content in now.items())
    return {path: had_it[0] for path, had_it in alike if len(had_it) == 1 and had_it[0] != path}


def _nearest(now: Lines, others: Mapping[str, Lines], own: Lines) -> str | None:
    """Return the one other that had more of a file's lines than the file itself had; None: there is none."""
    apart = {old: _lines_apart(was, now) for old, was in others.items()}
    least = min(apart.values(), default=None)
    if least is None or least >= _lines_apart(own, now):
        return None
    nearest = [old for old, number in apart.items() if number == least]
    return nearest[0] if len(nearest) == 1 else None


def _lines_apart(was: Lines, now: Lines) -> int:
    """Return how many lines one of the two has and the other has not."""
    return ((Counter(was) - Counter(now)) + (Counter(now) - Counter(was))).total()
