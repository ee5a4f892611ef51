"""Which campaigns' files git will see as moved once the work tree is committed, and which read like others.

git compares two temporary folders (`diff --no-index`): the files that only HEAD has, and those that only the
work tree has. Files that stay and have each other's contents are found as those of a commit are
(`rewritten_specs`). Nothing is written to the repository, its index or its objects.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from reconciler.app.planning.rewritten_specs import rewritten
from reconciler.desired.git_process import ObjectReader, run
from reconciler.desired.git_source import Commit, listing
from reconciler.desired.tree import MAX_BYTES
from reconciler.desired.worktree import read_worktree


class Moved(NamedTuple):
    """What the work tree moves since HEAD, staged or not."""

    by_git: tuple[tuple[str, str], ...] = ()
    """(old path, new path) of each file that only has another place."""
    rewritten: tuple[tuple[str, str], ...] = ()
    """The same of files that have the contents which another file had."""


def moved_in_worktree(commit: Commit, folder: str) -> Moved:
    """Return which files below `folder` have moved since HEAD, and which read like others did.

    Raises:
        SourceError: the work tree or a committed file cannot be read, or there is no git.
    """
    if commit.top is None:
        return Moved()
    tree = read_worktree(commit.top)
    now = {file.path: file for file in tree.files if file.path.startswith(folder)}
    committed = {file.path: file for file in listing(commit).files if file.path.startswith(folder)}
    changed = {path for path in {**now, **committed} if now.get(path) != committed.get(path)}
    if not changed & committed.keys() or not changed & now.keys():
        return Moved()
    with ObjectReader(commit.git_dir) as reader:
        before = {
            path: reader.read(file.blob_id, "blob", MAX_BYTES)
            for path, file in committed.items()
            if path in changed
        }
    after = {path: tree.read(file) for path, file in now.items() if path in changed}
    return Moved(_by_git(before, after), tuple(rewritten(before, after)))


def _by_git(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[tuple[str, str], ...]:
    gone = {path: content for path, content in before.items() if path not in after}
    new = {path: content for path, content in after.items() if path not in before}
    if not gone or not new:
        return ()
    with tempfile.TemporaryDirectory(prefix="realm-moves-") as place:
        _lay_out(Path(place), gone, new)
        return _compared(Path(place))


def _lay_out(place: Path, *sides: Mapping[str, bytes]) -> None:
    for name, files in zip("ab", sides, strict=True):
        for path, content in files.items():
            file = place / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def _compared(place: Path) -> tuple[tuple[str, str], ...]:
    said = run(
        place, "diff", "--no-index", "--find-renames", "--diff-filter=R", "--name-status", "-z", "a", "b"
    )
    words = said.stdout.decode(errors="replace").split("\0")
    pairs = zip(words[1::3], words[2::3], strict=False)
    return tuple((old.removeprefix("a/"), new.removeprefix("b/")) for old, new in pairs)
