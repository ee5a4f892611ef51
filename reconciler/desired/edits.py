"""Specs of the work tree that are not as in a commit: `plan`, `status` and `apply` name them and use none.

Bytes are compared here and not by `git status`, which runs the filters that a repository's own config names:
looking at a stranger's repository must execute nothing. Line ends alone are no edit, since a checkout may
change them. With a cache, files that nobody touched are not read again; no process unless something differs.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.desired.commit_memory import files_at
from reconciler.desired.git_process import ObjectReader, SourceError, run
from reconciler.desired.git_source import Commit, resolve
from reconciler.desired.kinds import SPECS, BadPlaceError, place_of, shown
from reconciler.desired.parse_cache import Cache, NoCache
from reconciler.desired.tree import MAX_BYTES, MAX_DEPTH, MAX_FILES, blob_id
from reconciler.desired.work_tree_memory import Signature, names_of_contents

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LONGEST = 2 * MAX_BYTES
"""Room for a spec of which every line end takes two bytes."""
_LEFT_BY_EDITORS = ("~", ".orig", ".rej", "#")


def uncommitted(folder: Path, commit: Commit | None = None, cache: Cache | None = None) -> tuple[str, ...]:
    """Return the specs that are not as in the commit (None: HEAD) in the work tree around a folder.

    Never fails: what cannot be compared stands in the list as unknown, with the reason.
    """
    try:
        return _uncommitted(commit or resolve(folder), cache or NoCache())
    except OSError as error:
        return (f"{SPECS}/ (unknown: {shown(f'{error.filename}: {error.strerror}')})",)
    except SourceError as error:
        return (f"{SPECS}/ (unknown: {shown(str(error))})",)


def _uncommitted(commit: Commit, cache: Cache) -> tuple[str, ...]:
    if commit.top is None:
        return ()
    known = files_at(commit, cache)
    found = _names(commit.top, len(commit.id), cache)
    if known and not found:
        return (f"{SPECS}/ (not in the work tree)",)
    both = [path for path in known.keys() & found.keys() if found[path] != known[path]]
    missing = _not_left_out(commit.top, known.keys() - found.keys())
    either = [path for path in (*missing, *(found.keys() - known.keys())) if _is_spec(path)]
    edited = _edited(commit, commit.top, [(path, known[path]) for path in both if _is_spec(path)])
    return tuple(sorted(map(shown, (*either, *edited))))


def _not_left_out(top: Path, missing: set[str]) -> set[str]:
    """Return which missing files are really gone: a sparse checkout leaves the others out."""
    if not missing:
        return missing
    said = run(top, "ls-files", "-t", "-z", "--", SPECS).stdout.decode("utf-8", "surrogateescape")
    return missing - {line[2:] for line in said.split("\0") if line.startswith("S ")}


def _edited(commit: Commit, top: Path, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the path of each file whose content differs from the commit's in more than line ends."""
    with ObjectReader(commit.git_dir) as objects:
        for path, object_id in pairs:
            ours = _content(f"{top}/{path}").replace(b"\r\n", b"\n")
            if blob_id(ours, len(commit.id)) == object_id:
                continue
            if objects.read(object_id, "blob", _LONGEST).replace(b"\r\n", b"\n") != ours:
                yield path


def _is_spec(path: str) -> bool:
    """Would the loader read this file, or complain about it?"""
    try:
        return place_of(path) is not None
    except BadPlaceError:
        return not path.endswith(_LEFT_BY_EDITORS)


def _names(top: Path, num_digits: int, cache: Cache) -> dict[str, str]:
    """Return path → git's name for the content, of everything below `specs/`."""
    files, others = _found(top)

    def read(path: str) -> str:
        return blob_id(_content(f"{top}/{path}"), num_digits)

    names = names_of_contents(top, files, read, cache, str(num_digits))
    return {**names, **{path: blob_id(b"", num_digits) for path in others}}


def _found(top: Path) -> tuple[dict[str, Signature], list[str]]:
    """Return the plain files below `specs/`, and the rest: links and pipes, which count as empty files."""
    files: dict[str, Signature] = {}
    others: list[str] = []
    folders = [SPECS] if _is_folder(top / SPECS) else []
    while folders:
        here = folders.pop()
        with os.scandir(top / here) as entries:
            for entry in entries:
                path = f"{here}/{entry.name}"
                if entry.name.startswith("."):
                    continue  # such are no specs
                if entry.is_dir(follow_symlinks=False) and path.count("/") <= MAX_DEPTH:
                    folders.append(path)
                elif entry.is_file(follow_symlinks=False):
                    files[path] = _signature(entry.stat(follow_symlinks=False))
                else:
                    others.append(path)
        if len(files) + len(others) + len(folders) > MAX_FILES:
            raise SourceError(f"more than {MAX_FILES:,} files")
    return files, others


def _signature(status: os.stat_result) -> Signature:
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _content(path: str) -> bytes:
    """Return what a plain file holds; nothing of a link, a pipe, or what is gone since it was listed."""
    try:
        fd = os.open(path, _FILE)
    except FileNotFoundError:
        return b""
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            return b""
        raise
    try:
        status = os.fstat(fd)
        return os.read(fd, min(status.st_size, _LONGEST) + 1) if stat.S_ISREG(status.st_mode) else b""
    finally:
        os.close(fd)
