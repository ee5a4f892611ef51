"""Edits of one history brought to another, file by file: what a rollback takes back, what would conflict."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from reconciler.desired.git_process import ObjectReader, SourceError, output, run
from reconciler.desired.git_source import Commit, listing
from reconciler.desired.kinds import SPECS
from reconciler.desired.tree import MAX_BYTES

_MAX_LISTING_BYTES = 16 * 1024 * 1024
_REGULAR = ("100644", "100755", "000000")


class SpecChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file below specs/ between two commits; None: it was not there."""

    path: str
    before: bytes | None
    after: bytes | None


def changes_between(git_dir: Path, old: str, new: str) -> Iterator[SpecChange]:
    """Yield every regular file below specs/ that differs between two commits.

    Raises:
        SourceError: git cannot compare them.
    """
    said = output(
        git_dir, "diff-tree", "-r", "-z", "--no-renames", old, new, "--", SPECS, limit=_MAX_LISTING_BYTES
    )
    if said is None:
        raise SourceError(f"{git_dir}: git cannot compare {old[:7]} with {new[:7]}; try git fsck")
    words = said.decode("utf-8", "surrogateescape").split("\0")
    with ObjectReader(git_dir) as objects:
        for about, path in zip(words[::2], words[1::2], strict=False):
            modes, ids = about.removeprefix(":").split(" ")[:2], about.split(" ")[2:4]
            if all(mode in _REGULAR for mode in modes):
                before, after = (_content(objects, object_id) for object_id in ids)
                yield SpecChange(path=path, before=before, after=after)


def _content(objects: ObjectReader, object_id: str) -> bytes | None:
    return None if set(object_id) == {"0"} else objects.read(object_id, "blob", MAX_BYTES + 1)


def merged(now: bytes | None, old: bytes | None, new: bytes | None) -> tuple[bytes | None, bool]:
    """Return `now` with the edit from `old` to `new` in it, and whether nothing stood against that."""
    if now == old:
        return new, True
    if now == new:
        return now, True
    if now is None or old is None or new is None:
        return now, False
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("now", "old", "new")]
        for file, content in zip(files, (now, old, new), strict=True):
            file.write_bytes(content)
        done = run(Path(folder), "merge-file", "-p", *map(str, files))
    return done.stdout, done.returncode == 0


def conflicts(base: Commit, tip: Commit) -> tuple[str, ...]:
    """Return the specs that both sides edited in the same lines since they parted."""
    parting = run(base.git_dir, "merge-base", base.id, tip.id).stdout.decode().strip()
    if not parting:
        return ()
    ours = {file.path: file.blob_id for file in listing(base).files}
    found = []
    with ObjectReader(base.git_dir) as objects:
        for change in changes_between(base.git_dir, parting, tip.id):
            blob = ours.get(change.path)
            now = None if blob is None else objects.read(blob, "blob", MAX_BYTES + 1)
            if not merged(now, change.before, change.after)[1]:
                found.append(change.path)
    return tuple(found)
