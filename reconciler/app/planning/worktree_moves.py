"""Which campaigns' files git will see as moved once the work tree is committed.

git compares two temporary folders (`diff --no-index`): the files that only HEAD has, and those that only the
work tree has. Nothing is written to the repository, its index or its objects.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from reconciler.desired.git_process import ObjectReader, run
from reconciler.desired.git_source import Commit, listing
from reconciler.desired.tree import MAX_BYTES
from reconciler.desired.worktree import read_worktree


def moved_in_worktree(commit: Commit, folder: str) -> tuple[tuple[str, str], ...]:
    """Return (old path, new path) of each file below `folder` that has moved since HEAD, staged or not.

    Raises:
        SourceError: the work tree or a committed file cannot be read, or there is no git.
    """
    if commit.top is None:
        return ()
    tree = read_worktree(commit.top)
    now = {file.path: file for file in tree.files if file.path.startswith(folder)}
    committed = {file.path: file for file in listing(commit).files if file.path.startswith(folder)}
    gone = [file for path, file in committed.items() if path not in now]
    new = [file for path, file in now.items() if path not in committed]
    if not gone or not new:
        return ()
    with ObjectReader(commit.git_dir) as reader:
        before = {file.path: reader.read(file.blob_id, "blob", MAX_BYTES) for file in gone}
    with tempfile.TemporaryDirectory(prefix="realm-moves-") as place:
        _lay_out(Path(place), before, {file.path: tree.read(file) for file in new})
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
