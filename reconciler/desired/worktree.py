"""Specs as they lie in the work tree, for `plan --worktree`. Follows no link, leaves `specs/` never."""

import os
import stat
from pathlib import Path

from reconciler.desired.git_process import SourceError
from reconciler.desired.kinds import SPECS
from reconciler.desired.mistakes import Mistake
from reconciler.desired.tree import MAX_BYTES, MAX_DEPTH, MAX_FILES, SpecFile, SpecTree, bad_entry, blob_id

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NAMES = {stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def read_worktree(top: Path) -> SpecTree:
    """Return the specs in the work tree whose top folder is given; all contents are read now.

    Raises:
        SourceError: `specs/` is absent or unreadable, or has too many files.
    """
    walk = _Walk()
    try:
        top_fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"{top}: cannot be read: {error.strerror}") from error
    try:
        walk.take(top_fd, SPECS, SPECS)
    except FileNotFoundError as error:
        hint = "reconcile init DIR makes a repository with them"
        raise SourceError(f"{top}: there is no folder {SPECS}/ with specs here; {hint}") from error
    finally:
        os.close(top_fd)
    files = tuple(sorted(walk.contents, key=lambda file: file.path))
    return SpecTree(files=files, mistakes=tuple(walk.mistakes), read=walk.contents.__getitem__)


class _Walk:
    """Collects files through folder descriptors, so that no path is looked up twice."""

    def __init__(self) -> None:
        self.contents: dict[SpecFile, bytes] = {}
        self.mistakes: list[Mistake] = []

    def take(self, folder_fd: int, name: str, path: str) -> None:
        try:
            self._take(folder_fd, name, path)
        except FileNotFoundError:
            if path == SPECS:
                raise  # else: removed since the folder was listed
        except OSError as error:
            raise SourceError(f"{path}: cannot be read: {error.strerror}") from error

    def _take(self, folder_fd: int, name: str, path: str) -> None:
        mode = os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            self._enter(folder_fd, name, path)
        elif stat.S_ISREG(mode) and path != SPECS:
            self._read(folder_fd, name, path)
        else:
            self.mistakes.append(bad_entry(path, _NAMES.get(stat.S_IFMT(mode), "a file or device")))

    def _enter(self, folder_fd: int, name: str, path: str) -> None:
        if path.count("/") >= MAX_DEPTH:
            self.mistakes.append(bad_entry(path, f"a folder more than {MAX_DEPTH} levels deep"))
            return
        fd = os.open(name, _FOLDER, dir_fd=folder_fd)
        try:
            names = sorted(entry.name for entry in os.scandir(fd))
            if ".git" in names:
                self.mistakes.append(bad_entry(path, "a repository of its own"))
                return
            for inner in names:
                self.take(fd, inner, f"{path}/{inner}")
        finally:
            os.close(fd)

    def _read(self, folder_fd: int, name: str, path: str) -> None:
        fd = os.open(name, _FILE, dir_fd=folder_fd)
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):  # replaced since it was looked at
                self.mistakes.append(bad_entry(path, "no regular file"))
                return
            content = file.read(MAX_BYTES + 1)
        self.contents[SpecFile(path=path, blob_id=blob_id(content))] = content
        if len(self.contents) > MAX_FILES:
            raise SourceError(f"{SPECS}/ has more than {MAX_FILES:,} files")
