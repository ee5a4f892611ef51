"""Specs at a commit: what a ref means, and the files under `specs/` there. Reads objects, checks nothing out.

Called by `app`; the tree goes to `loading`. A new commit costs one `git ls-tree`, one `git cat-file` for the
files that no cache knows, and one `git rev-parse` where `head_file` leaves that question to git.
"""

import contextlib
import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from reconciler.desired.git_process import (
    NoCommitYetError,
    NoRepositoryError,
    ObjectReader,
    SourceError,
    UnknownRefError,
    output,
    run,
)
from reconciler.desired.head_file import read_head
from reconciler.desired.kinds import SPECS, shown
from reconciler.desired.mistakes import Mistake, nearest_name
from reconciler.desired.tree import MAX_BYTES, MAX_DEPTH, MAX_FILES, SpecFile, SpecTree, bad_entry

_MAX_LISTING_BYTES = 16 * 1024 * 1024
_COMMIT = "[0-9a-f]{40}|[0-9a-f]{64}"
_NO_FILES = {"120000": "a symbolic link", "160000": "a submodule"}
"""Modes of entries that are no regular files."""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What a ref meant when it was looked up."""

    id: str
    """All hexadecimal digits."""
    branch: str | None
    """Short name, when the ref is a local branch (HEAD: the one checked out)."""
    full_ref: str | None
    """For example refs/heads/main; None for a bare id or a detached HEAD."""
    git_dir: Path
    top: Path | None
    """Top folder of the work tree; None in a bare repository."""

    @property
    def name(self) -> str:
        """Return `main@4f1c2d9` or just the short id."""
        return f"{self.branch}@{self.id[:7]}" if self.branch else self.id[:7]


def resolve(repository: Path, ref: str = "HEAD") -> Commit:
    """Return the commit that a branch, tag, id or HEAD means now. One git process; none for an ordinary HEAD.

    Raises:
        NoRepositoryError: the folder is in no git repository, or is not there.
        NoCommitYetError: HEAD, or the branch checked out, has no commit.
        UnknownRefError: nothing of this name; names the branches there are.
        SourceError: git is absent, or does not trust the repository's owner.
    """
    if not ref or ref.startswith("-") or not ref.isprintable():
        raise UnknownRefError(f"{repository}: {ref!r} is no name of a branch or commit")
    head = read_head(repository) if ref == "HEAD" else None
    if head is not None:
        branch = head.ref.removeprefix("refs/heads/")
        return Commit(id=head.commit_id, branch=branch, full_ref=head.ref, git_dir=head.git_dir, top=head.top)
    return _said_by_git(repository, ref)


def _said_by_git(repository: Path, ref: str) -> Commit:
    where = ("--is-inside-work-tree", "--show-prefix", "--absolute-git-dir")
    done = run(repository, "rev-parse", f"{ref}^{{commit}}", "--symbolic-full-name", ref, *where)
    if done.returncode != 0:
        raise _unresolved(repository, ref, done.stderr.decode("utf-8", "replace"))
    commit, *lines = done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
    if not re.fullmatch(_COMMIT, commit):
        raise SourceError(f"{repository}: git named the commit {shown(commit)!r}, which is no commit id")
    name = lines.pop(0) if lines[0] not in ("true", "false") else ""
    full = name if name.startswith("refs/") else None
    branch = full.removeprefix("refs/heads/") if full and full.startswith("refs/heads/") else None
    is_inside, *paths = lines
    prefix, git_dir = _two_paths(paths)
    top = _top(repository, prefix) if is_inside == "true" else None
    return Commit(id=commit, branch=branch, full_ref=full, git_dir=Path(git_dir), top=top)


def _two_paths(lines: Sequence[str]) -> tuple[str, str]:
    """Return the relative and the absolute path in these lines; either may hold line breaks."""
    start = next((place for place, line in enumerate(lines) if line.startswith("/")), len(lines) - 1)
    return "\n".join(lines[:start]), "\n".join(lines[start:])


def _top(repository: Path, prefix: str) -> Path:
    """Return the work tree's top folder, `prefix` (such as specs/heroes/) above the given one."""
    here = repository.resolve()
    return here.parents[prefix.count("/") - 1] if prefix else here


def ahead_behind(repository: Path, base: str, tip: str) -> tuple[int, int]:
    """Return how many commits only `tip` has, and how many only `base` has. Both are commit ids."""
    done = run(repository, "rev-list", "--left-right", "--count", f"{base}...{tip}", "--")
    if done.returncode != 0:
        raise SourceError(
            f"{repository}: cannot compare {base[:7]} with {tip[:7]}: {_last_line(done.stderr)}"
        )
    only_base, only_tip = done.stdout.split()
    return int(only_tip), int(only_base)


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The regular files below `specs/` in a commit, sorted by path, and what lies there that is none."""

    files: tuple[SpecFile, ...]
    mistakes: tuple[Mistake, ...]


@functools.lru_cache(maxsize=4)
def listing(commit: Commit) -> Listing:
    """Return what is below `specs/` at a commit. One git process, the first time.

    Raises:
        SourceError: a tree is missing, or there are too many files.
    """
    place = commit.git_dir
    said = output(place, "ls-tree", "-r", "-z", "--full-tree", commit.id, SPECS, limit=_MAX_LISTING_BYTES)
    if said is None:
        raise SourceError(f"{place}: git cannot list {SPECS}/ at {commit.id[:7]}; try git fsck")
    lines = said.decode("utf-8", "surrogateescape").split("\0")[:-1]
    if len(lines) > MAX_FILES:
        raise SourceError(f"{SPECS}/ has more than {MAX_FILES:,} files at this commit")
    found = [_entry(line) for line in sorted(lines, key=lambda line: line.partition("\t")[2])]
    wrong = {one.path: one for one in found if isinstance(one, Mistake)}  # a deep folder is told once
    return Listing(
        files=tuple(one for one in found if isinstance(one, SpecFile)), mistakes=tuple(wrong.values())
    )


def _entry(line: str) -> SpecFile | Mistake:
    """Return what one line of `git ls-tree` says: `mode type id TAB path`."""
    about, _, path = line.partition("\t")
    mode, _, object_id = about.split(" ")
    if path.count("/") > MAX_DEPTH:
        folder = "/".join(path.split("/")[: MAX_DEPTH + 1])
        return bad_entry(folder, f"a folder more than {MAX_DEPTH} levels deep")
    if mode in _NO_FILES:
        return bad_entry(path, _NO_FILES[mode])
    return bad_entry(path, "a file") if path == SPECS else SpecFile(path=path, blob_id=object_id)


@contextlib.contextmanager
def open_commit(commit: Commit) -> Iterator[SpecTree]:
    """Give the specs at a commit; their contents can be read until the context ends.

    Raises:
        SourceError: an object is missing, or there are too many files.
    """
    listed = listing(commit)
    with ObjectReader(commit.git_dir) as objects:
        yield SpecTree(
            files=listed.files,
            mistakes=listed.mistakes,
            read=lambda file: objects.read(file.blob_id, "blob", MAX_BYTES + 1),
        )


def _unresolved(repository: Path, ref: str, said: str) -> SourceError:
    """Return the error for a ref that git did not find, in our words."""
    if "dubious ownership" in said:
        hint = f"git config --global --add safe.directory {repository}"
        return SourceError(
            f"{repository}: belongs to another user, so git does not trust it; if you do: {hint}"
        )
    if "cannot change to" in said:
        return NoRepositoryError(f"{repository}: there is no such folder, or it cannot be entered")
    if "not a git repository" in said:
        hint = "run this in a specs repository, or make one: reconcile init DIR"
        return NoRepositoryError(f"{repository}: no git repository here; {hint}")
    branches = branches_of(repository)
    head = run(repository, "symbolic-ref", "--short", "-q", "HEAD").stdout.decode().strip()
    if not branches or (ref in ("HEAD", head) and head not in branches):
        hint = 'commit the specs first: git add specs && git commit -m "..."'
        return NoCommitYetError(f"{repository}: no commit yet on {head or 'HEAD'}; {hint}")
    near = nearest_name(ref, branches)
    meant = f'; did you mean "{near}"?' if near else ""
    return UnknownRefError(
        f'{repository}: "{shown(ref)}" is no branch or commit; branches: {", ".join(branches)}{meant}'
    )


def branches_of(repository: Path) -> tuple[str, ...]:
    """Return the names of up to twenty local branches."""
    done = run(repository, "for-each-ref", "--count=20", "--format=%(refname:short)", "refs/heads/")
    return tuple(done.stdout.decode("utf-8", "replace").split())


def _last_line(text: bytes) -> str:
    return (text.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"])[-1]
