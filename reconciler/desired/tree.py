"""The spec files of one moment, wherever they come from: a commit or the work tree."""

from collections.abc import Callable

import msgspec

from reconciler.desired.kinds import SPECS, shown
from reconciler.desired.mistakes import Mistake

MAX_FILES = 20_000
MAX_DEPTH = 8


class SpecFile(msgspec.Struct, frozen=True, kw_only=True):
    """One regular file."""

    path: str
    """From the repository's top folder, with /; odd bytes as surrogates."""
    blob_id: str
    """git's name for the content."""


class SpecTree(msgspec.Struct, frozen=True, kw_only=True):
    """Regular files below `specs/`, sorted by path, and what lies there that is none."""

    files: tuple[SpecFile, ...]
    mistakes: tuple[Mistake, ...]
    read: Callable[[SpecFile], bytes]
    """Gives a file's content, cut one byte above the largest size of a spec."""


def bad_entry(path: str, what: str) -> Mistake:
    """Return the mistake of something that is no regular file."""
    hint = "remove it" if path != SPECS else "expected a folder"
    message = f"is {what}; specs are regular files in folders of this repository"
    return Mistake(path=shown(path), message=message, hint=hint)
