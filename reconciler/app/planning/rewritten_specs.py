"""Whose file a spec reads like, where one commit gave several specs each other's contents.

git pairs only files that came with files that left. Where names are swapped in one commit every file stays,
and in a chain of them git pairs the first with the last. So the contents are compared, names apart.
"""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.app.planning.spec_log import compared, logged, moves_of
from reconciler.desired.git_process import ObjectReader
from reconciler.desired.git_source import Commit
from reconciler.desired.tree import MAX_BYTES
from reconciler.plan.campaigns.traces import Moves

_LINES_WITH_NAMES = (b"id:", b"was:")
_NO_BLOB = {"0"}
_RAW = ("--no-renames", "--raw", "--no-abbrev")
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


def _without_names(content: bytes) -> bytes:
    lines = content.splitlines()
    return b"\n".join(line.rstrip() for line in lines if not line.startswith(_LINES_WITH_NAMES))


def rewritten(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return (old path, new path) where a file has what one other had, which left or was given another's.

    `before`, `after`: path → content of the files that changed; the lines in which they say their names count
    for nothing. Nothing where only files that came read like files that left: git pairs those itself.
    """
    read_like: dict[str, str] = {}
    had = {path: _without_names(content) for path, content in before.items()}
    for path, content in after.items():
        now = _without_names(content)
        had_it = [old for old, was in had.items() if was == now]
        if len(had_it) == 1 and had_it[0] != path:
            read_like[path] = had_it[0]
    while copies := [new for new, old in read_like.items() if old in after and old not in read_like]:
        for new in copies:
            del read_like[new]
    return [(old, new) for new, old in read_like.items()] if read_like.keys() & before.keys() else []
