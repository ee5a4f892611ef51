"""`rollback`: a commit that takes back what an earlier commit did to the specs, with a reason.

Of a merge it takes back what the merge brought to its branch. A spec that was edited since is merged line by
line; where that is not possible, nothing is committed. Files that are no specs stay, and are named.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from reconciler.app.environment import Environment
from reconciler.app.errors import Blocked, Misused
from reconciler.app.place import Options, repository_of
from reconciler.app.spec_edits import Base, Committing, SpecCommit, commit_edits, read_base
from reconciler.desired.git_process import ObjectReader, SourceError, output, run
from reconciler.desired.git_source import Commit, ahead_behind, resolve
from reconciler.desired.kinds import SPECS
from reconciler.desired.yaml_text import MAX_BYTES

_MAX_LISTING_BYTES = 16 * 1024 * 1024
_REGULAR = ("100644", "100755", "000000")
_ABSENT = "0"


class SpecChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit did to one spec; None: it was not there."""

    path: str
    before: bytes | None
    after: bytes | None


def rollback(environment: Environment, options: Options, ref: str, committing: Committing) -> SpecCommit:
    """Commit the specs as they would be without what one commit did to them.

    Raises:
        UnknownRefError: no such commit.
        Misused: it is no part of what is checked out, or the first commit, or no reason is given.
        Blocked: it changed no spec; or later edits stand in the same lines; or nothing would change.
        SpecMistakesError: without it the specs would have mistakes.
    """
    if not (committing.why or "").strip():
        raise Misused("a rollback needs its reason: --why TEXT")
    base = read_base(environment, options)
    target = resolve(repository_of(environment, options), ref)
    if ahead_behind(target.git_dir, base.commit.id, target.id)[0]:
        raise Misused(
            f"{ref} ({target.id[:7]}) is no part of {base.commit.name}: there is nothing to take back"
        )
    found = tuple(_changes_of(target, ref))
    changes = tuple(change for change in found if change.path.endswith(".yaml"))
    others = [change.path for change in found if change not in changes]
    if not changes:
        raise Blocked(f"{ref} ({target.id[:7]}) changed no spec; nothing to take back")
    texts = _without(base, changes)
    if all(base.texts.get(path) == text for path, text in texts.items()):
        raise Blocked(f"what {ref} ({target.id[:7]}) did is taken back already; nothing to commit")
    subject = f"Roll back {target.id[:7]}: {_subject_of(target)}"
    notes = (f"Left as they are, being no specs: {', '.join(others)}",) if others else ()
    return commit_edits(environment, options, base, texts, subject, committing, notes)


def _changes_of(target: Commit, ref: str) -> Iterator[SpecChange]:
    parent = run(target.git_dir, "rev-parse", "--verify", "-q", f"{target.id}^1").stdout.decode().strip()
    if not parent:
        raise Misused(f"{ref} ({target.id[:7]}) is the first commit: without it there are no specs")
    said = output(
        target.git_dir, "diff-tree", "-r", "-z", "--no-renames", parent, target.id, "--", SPECS,
        limit=_MAX_LISTING_BYTES,
    )  # fmt: skip
    if said is None:
        raise SourceError(
            f"{target.git_dir}: git cannot compare {target.id[:7]} with its parent; try git fsck"
        )
    words = said.decode("utf-8", "surrogateescape").split("\0")
    with ObjectReader(target.git_dir) as objects:
        for about, path in zip(words[::2], words[1::2], strict=False):
            modes, ids = about.removeprefix(":").split(" ")[:2], about.split(" ")[2:4]
            if all(mode in _REGULAR for mode in modes):
                before, after = (_content(objects, object_id) for object_id in ids)
                yield SpecChange(path=path, before=before, after=after)


def _content(objects: ObjectReader, object_id: str) -> bytes | None:
    return None if set(object_id) == {_ABSENT} else objects.read(object_id, "blob", MAX_BYTES + 1)


def _without(base: Base, changes: Sequence[SpecChange]) -> Mapping[str, str | None]:
    """Return each spec as it is without its change; None: it goes."""
    texts: dict[str, str | None] = {}
    conflicts = []
    for change in changes:
        now = base.texts.get(change.path)
        found, is_clean = _taken_back(change, None if now is None else now.encode())
        texts[change.path] = None if found is None else found.decode("utf-8", "replace")
        if not is_clean:
            conflicts.append(change.path)
    if conflicts:
        raise Blocked(
            f"{', '.join(conflicts)}: edited since in the same lines, so nothing was changed; take it back "
            "by hand, or roll back the later commit first (git log -- FILE)"
        )
    return texts


def _taken_back(change: SpecChange, now: bytes | None) -> tuple[bytes | None, bool]:
    """Return the spec without the change, and whether no later edit stands against it."""
    if now == change.after:
        return change.before, True
    if now == change.before:
        return now, True
    if now is None or change.before is None or change.after is None:
        return now, False
    return _merged(now, change.after, change.before)


def _merged(now: bytes, base: bytes, wanted: bytes) -> tuple[bytes, bool]:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("now", "base", "wanted")]
        for file, content in zip(files, (now, base, wanted), strict=True):
            file.write_bytes(content)
        done = run(Path(folder), "merge-file", "-p", *map(str, files))
    return done.stdout, done.returncode == 0


def _subject_of(commit: Commit) -> str:
    said = run(commit.git_dir, "log", "-1", "--format=%s", commit.id, "--").stdout.decode("utf-8", "replace")
    return "".join(char for char in said.strip() if char.isprintable())
