"""Specs at a commit: what a ref means, and the files under `specs/` there. Reads objects, checks nothing out.

Called by `app`; the tree goes to `loading`. A tick costs one `git rev-parse` and one `git cat-file`; only the
files that no cache knows are read.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from reconciler.desired.git_process import (
    NoCommitYetError,
    NoRepositoryError,
    ObjectReader,
    SourceError,
    UnknownRefError,
    run,
)
from reconciler.desired.kinds import SPECS, shown
from reconciler.desired.mistakes import Mistake, nearest_name
from reconciler.desired.tree import MAX_DEPTH, MAX_FILES, SpecFile, SpecTree, bad_entry
from reconciler.desired.yaml_text import MAX_BYTES

_MAX_TREE_BYTES = 16 * 1024 * 1024
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_TREE_MODE, _LINK_MODE, _SUBMODULE_MODE = "40000", "120000", "160000"


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
    """Return the commit that a branch, tag, id or HEAD means now. One git process.

    Raises:
        NoRepositoryError: the folder is in no git repository, or is not there.
        NoCommitYetError: HEAD, or the branch checked out, has no commit.
        UnknownRefError: nothing of this name; names the branches there are.
        SourceError: git is absent, or does not trust the repository's owner.
    """
    if not ref or ref.startswith("-") or not ref.isprintable():
        raise UnknownRefError(f"{repository}: {ref!r} is no name of a branch or commit")
    where = ("--absolute-git-dir", "--is-inside-work-tree", "--show-prefix")
    done = run(repository, "rev-parse", *where, f"{ref}^{{commit}}", "--symbolic-full-name", ref)
    if done.returncode != 0:
        raise _unresolved(repository, ref, done.stderr.decode("utf-8", "replace"))
    git_dir, is_inside, prefix, commit, *names = done.stdout.decode("utf-8", "surrogateescape").split("\n")
    if not _COMMIT.fullmatch(commit):
        raise SourceError(f"{repository}: git named the commit {shown(commit)!r}, which is no commit id")
    full = names[0] if names and names[0].startswith("refs/") else None
    branch = full.removeprefix("refs/heads/") if full and full.startswith("refs/heads/") else None
    top = _top(repository, prefix) if is_inside == "true" else None
    return Commit(id=commit, branch=branch, full_ref=full, git_dir=Path(git_dir), top=top)


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


def uncommitted(repository: Path) -> tuple[str, ...]:
    """Return the files under `specs/` that are not as in HEAD, new ones too. One git process."""
    flags = ("--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")
    done = run(repository, "status", *flags, "--", f":(top){SPECS}")
    if done.returncode != 0:
        raise SourceError(f"{repository}: git status failed: {_last_line(done.stderr)}")
    entries = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    return tuple(sorted(shown(entry[3:]) for entry in entries if entry))


@contextlib.contextmanager
def open_commit(commit: Commit) -> Iterator[SpecTree]:
    """Give the specs at a commit; their contents can be read until the context ends. One git process.

    Raises:
        SourceError: an object is missing, or there are too many files.
    """
    with ObjectReader(commit.git_dir) as objects:
        top = objects.read(f"{commit.id}^{{tree}}", "tree", _MAX_TREE_BYTES)
        walk = _Walk(objects, num_id_bytes=len(commit.id) // 2)
        walk.enter(top, "", only=SPECS)
        yield SpecTree(
            files=tuple(sorted(walk.files, key=lambda file: file.path)),
            mistakes=tuple(walk.mistakes),
            read=lambda file: objects.read(file.blob_id, "blob", MAX_BYTES + 1),
        )


class _Walk:
    """Collects the files below a tree object."""

    def __init__(self, objects: ObjectReader, num_id_bytes: int) -> None:
        self.objects = objects
        self.num_id_bytes = num_id_bytes
        self.files: list[SpecFile] = []
        self.mistakes: list[Mistake] = []

    def enter(self, tree: bytes, folder: str, only: str | None = None) -> None:
        for mode, name, object_id in _entries(tree, self.num_id_bytes):
            if only is None or name == only:
                self._take(mode, f"{folder}{name}", object_id)

    def _take(self, mode: str, path: str, object_id: str) -> None:
        if mode == _LINK_MODE:
            self.mistakes.append(bad_entry(path, "a symbolic link"))
        elif mode == _SUBMODULE_MODE:
            self.mistakes.append(bad_entry(path, "a submodule"))
        elif mode != _TREE_MODE and path == SPECS:
            self.mistakes.append(bad_entry(path, "a file"))
        elif mode != _TREE_MODE:
            self._add(SpecFile(path=path, blob_id=object_id))
        elif path.count("/") >= MAX_DEPTH:
            self.mistakes.append(bad_entry(path, f"a folder more than {MAX_DEPTH} levels deep"))
        else:
            self.enter(self.objects.read(object_id, "tree", _MAX_TREE_BYTES), f"{path}/")

    def _add(self, file: SpecFile) -> None:
        self.files.append(file)
        if len(self.files) > MAX_FILES:
            raise SourceError(f"{SPECS}/ has more than {MAX_FILES:,} files at this commit")


def _entries(tree: bytes, num_id_bytes: int) -> Iterator[tuple[str, str, str]]:
    """Yield mode, name and id of each entry of a tree object (gitformat: `mode name NUL id`)."""
    position = 0
    while position < len(tree):
        space = tree.index(b" ", position)
        end = tree.index(b"\0", space)
        object_id = tree[end + 1 : end + 1 + num_id_bytes]
        yield (
            tree[position:space].decode(),
            tree[space + 1 : end].decode("utf-8", "surrogateescape"),
            object_id.hex(),
        )
        position = end + 1 + num_id_bytes


def _unresolved(repository: Path, ref: str, said: str) -> SourceError:
    """Return the error for a ref that git did not find, in our words."""
    if "dubious ownership" in said:
        hint = f"git config --global --add safe.directory {repository}"
        return SourceError(
            f"{repository}: belongs to another user, so git does not trust it; if you do: {hint}"
        )
    if "not a git repository" in said or "cannot change to" in said:
        hint = "run this in a specs repository, or make one: reconcile init DIR"
        return NoRepositoryError(f"{repository}: no git repository here; {hint}")
    branches = _branches(repository)
    head = run(repository, "symbolic-ref", "--short", "-q", "HEAD").stdout.decode().strip()
    if not branches or (ref in ("HEAD", head) and head not in branches):
        hint = 'commit the specs first: git add specs && git commit -m "..."'
        return NoCommitYetError(f"{repository}: no commit yet on {head or 'HEAD'}; {hint}")
    near = nearest_name(ref, branches)
    meant = f'; did you mean "{near}"?' if near else ""
    return UnknownRefError(
        f'{repository}: "{shown(ref)}" is no branch or commit; branches: {", ".join(branches)}{meant}'
    )


def _branches(repository: Path) -> tuple[str, ...]:
    done = run(repository, "for-each-ref", "--count=20", "--format=%(refname:short)", "refs/heads/")
    return tuple(done.stdout.decode("utf-8", "replace").split())


def _last_line(text: bytes) -> str:
    return (text.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"])[-1]
