"""Specs of the work tree that are not as in a commit: `plan`, `status` and `apply` name them and use none.

Bytes are compared here and not by `git status`, which runs the filters that a repository's own config names:
looking at a stranger's repository must execute nothing. Line ends alone are no edit, since a checkout may
change them. Costs some 20 microseconds a file, and no process unless something differs.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.desired.git_process import ObjectReader, SourceError
from reconciler.desired.git_source import Commit, listing, resolve
from reconciler.desired.kinds import SPECS, BadPlaceError, place_of, shown
from reconciler.desired.tree import MAX_DEPTH, MAX_FILES, blob_id
from reconciler.desired.yaml_text import MAX_BYTES

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LONGEST = 2 * MAX_BYTES
"""Room for a spec of which every line end takes two bytes."""
_LEFT_BY_EDITORS = ("~", ".orig", ".rej", "#")


def uncommitted(folder: Path, commit: Commit | None = None) -> tuple[str, ...]:
    """Return the specs that are not as in the commit (None: HEAD) in the work tree around a folder.

    Never fails: what cannot be compared stands in the list as unknown, with the reason.
    """
    try:
        return _uncommitted(commit or resolve(folder))
    except OSError as error:
        return (f"{SPECS}/ (unknown: {shown(f'{error.filename}: {error.strerror}')})",)
    except SourceError as error:
        return (f"{SPECS}/ (unknown: {shown(str(error))})",)


def _uncommitted(commit: Commit) -> tuple[str, ...]:
    if commit.top is None:
        return ()
    known = {file.path: file.blob_id for file in listing(commit).files}
    found = _contents(commit.top)
    if known and not found:
        return (f"{SPECS}/ (not in the work tree)",)
    num_digits = len(commit.id)
    both = [path for path in known.keys() & found.keys() if blob_id(found[path], num_digits) != known[path]]
    either = [path for path in known.keys() ^ found.keys() if _is_spec(path)]
    edited = _edited(commit, [(path, known[path], found[path]) for path in both if _is_spec(path)])
    return tuple(sorted(map(shown, (*either, *edited))))


def _edited(commit: Commit, pairs: Sequence[tuple[str, str, bytes]]) -> Iterator[str]:
    """Yield the path of each file whose content differs from the commit's in more than line ends."""
    with ObjectReader(commit.git_dir) as objects:
        for path, object_id, content in pairs:
            ours = content.replace(b"\r\n", b"\n")
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


def _contents(top: Path) -> Mapping[str, bytes]:
    """Return what lies below `specs/`; a link or a pipe counts as a file with nothing in it."""
    found: dict[str, bytes] = {}
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
                else:
                    found[path] = _content(entry.path) if entry.is_file(follow_symlinks=False) else b""
        if len(found) + len(folders) > MAX_FILES:
            raise SourceError(f"more than {MAX_FILES:,} files")
    return found


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _content(path: str) -> bytes:
    try:
        fd = os.open(path, _FILE)
    except FileNotFoundError:
        return b""  # removed since the folder was listed
    try:
        return os.read(fd, min(os.fstat(fd).st_size, _LONGEST) + 1)
    finally:
        os.close(fd)
