"""The commit of HEAD, read as git reads it: from `.git/HEAD` and the file of its branch.

A git process for this one question costs more than all the rest of a look at specs that are known. Whatever
is out of the ordinary is git's to answer: a linked work tree, a bare repository, packed or symbolic refs, a
folder of another user, settings that say where the work tree is.
"""

import os
import re
from pathlib import Path

import msgspec

_HEAD = re.compile(r"ref: (refs/heads/[A-Za-z0-9_][A-Za-z0-9_./-]*)\n")
_ID = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\n")
_ELSEWHERE = re.compile(rb"worktree|\bbare\b(?!\s*=\s*false\s)|\[\s*include|refstorage", re.IGNORECASE)
"""Words of a config that say, or may say, that the repository is no ordinary one."""
_MOST_BYTES = 1 << 16


class Head(msgspec.Struct, frozen=True):
    """What HEAD was when it was read."""

    commit_id: str
    ref: str
    git_dir: Path
    top: Path


def read_head(folder: Path) -> Head | None:
    """Return what is checked out around a folder; None where only git can tell, or say why it cannot."""
    try:
        top = _top(folder.resolve(strict=True))
        return _head(top, top / ".git") if top is not None else None
    except (OSError, ValueError):
        return None


def _top(folder: Path) -> Path | None:
    """Return the folder that holds `.git`; None where git might see another repository before that."""
    device = folder.stat().st_dev
    for here in (folder, *folder.parents):
        status = here.stat()
        if status.st_dev != device or (here / "HEAD").exists():
            return None  # git stops at the end of a file system; a folder with HEAD may be a bare repository
        if os.path.lexists(here / ".git"):
            return here if status.st_uid == os.geteuid() else None  # git asks whether its owner is trusted
    return None


def _head(top: Path, git_dir: Path) -> Head | None:
    is_ours = git_dir.lstat().st_uid == os.geteuid()
    is_ordinary = is_ours and not git_dir.is_symlink() and (git_dir / "objects").is_dir()
    if not is_ordinary or _ELSEWHERE.search(_bytes(git_dir / "config")):
        return None
    head = _HEAD.fullmatch(_bytes(git_dir / "HEAD").decode())
    if head is None or ".." in head[1] or (git_dir / "commondir").exists():
        return None
    commit = _ID.fullmatch(_bytes(git_dir / head[1]).decode())
    return Head(commit_id=commit[1], ref=head[1], git_dir=git_dir, top=top) if commit is not None else None


def _bytes(file: Path) -> bytes:
    """Return what a small file holds.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger than any such file.
    """
    with file.open("rb") as opened:
        content = opened.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(file)
    return content
