"""Whose file a spec reads like, where one commit gave several specs each other's contents.

git pairs only files that came with files that left. Where names are swapped in one commit every file stays,
and in a chain of them git pairs the first with the last. So the contents are compared, names apart.
"""

from collections.abc import Iterator, Mapping

from reconciler.desired.git_process import ObjectReader, output
from reconciler.desired.git_source import Commit
from reconciler.desired.tree import MAX_BYTES

_MOST_BYTES = 16 * 1024 * 1024
_NAMING = (b"id:", b"was:")
Sides = tuple[dict[str, str], dict[str, str]]
"""Path → blob, of the files that a commit changed: before it, and after it."""


def read_alike(commit: Commit, span: str, folder: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each commit that changed the folder, newest first: its id, and whose content a path has now.

    New path → old one; empty where no file that stayed has what another one had.
    """
    with ObjectReader(commit.git_dir) as reader:
        for changed_by, (before, after) in _changed(commit, span, folder):
            may_be = len(before) > 1 and before.keys() & after.keys()
            yield changed_by, _alike(_contents(reader, before), _contents(reader, after)) if may_be else {}


def _contents(reader: ObjectReader, blobs: Mapping[str, str]) -> dict[str, bytes]:
    return {path: _unnamed(reader.read(blob, "blob", MAX_BYTES)) for path, blob in blobs.items()}


def _changed(commit: Commit, span: str, folder: str) -> Iterator[tuple[str, Sides]]:
    said = output(
        commit.git_dir, "log", "--topo-order", "--no-renames", "--raw", "--no-abbrev", "--format=%x01%H",
        "-z", span, "--", folder, limit=_MOST_BYTES,
    )  # fmt: skip
    for block in (said or b"").decode(errors="replace").split("\x01")[1:]:
        changed_by, *words = [word.strip() for word in block.split("\0") if word.strip()]
        files = [
            (path, *words_of.split()[2:4]) for words_of, path in zip(words[::2], words[1::2], strict=False)
        ]
        before = {path: old for path, old, _ in files if set(old) != {"0"}}
        yield changed_by, (before, {path: new for path, _, new in files if set(new) != {"0"}})


def _unnamed(content: bytes) -> bytes:
    return b"\n".join(line.rstrip() for line in content.splitlines() if not line.startswith(_NAMING))


def _alike(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, str]:
    """Return new path → old one, where a file has what one other had, which left or was given another's.

    Nothing where only files that came read like files that left: that is what git pairs itself.
    """
    found = {}
    for path, text in after.items():
        had = [old for old, was in before.items() if was == text]
        if len(had) == 1 and had[0] != path:
            found[path] = had[0]
    while stays := [new for new, old in found.items() if old in after and old not in found]:
        for new in stays:
            del found[new]
    return found if found.keys() & before.keys() else {}
