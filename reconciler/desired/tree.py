"""The spec files of one moment, wherever they come from: a commit or the work tree."""

import hashlib
from collections.abc import Callable

import msgspec

from reconciler.desired.kinds import SPECS, shown
from reconciler.desired.mistakes import Mistake

MAX_FILES = 20_000
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 8
_SHA256_DIGITS = 64


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


def blob_id(content: bytes, num_digits: int = 40) -> str:
    """Return git's name for a content: SHA-1 of 40 digits, or SHA-256 of 64, as the repository has them."""
    digest = hashlib.sha256() if num_digits == _SHA256_DIGITS else hashlib.sha1(usedforsecurity=False)
    digest.update(b"blob %d\0" % len(content) + content)
    return digest.hexdigest()


def bad_entry(path: str, what: str) -> Mistake:
    """Return the mistake of something that is no regular file."""
    hint = "remove it" if path != SPECS else "expected a folder"
    message = f"is {what}; specs are regular files in folders of this repository"
    return Mistake(path=shown(path), message=message, hint=hint)
