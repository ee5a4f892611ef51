"""What was parsed before, by content; may be lost, stale or damaged at any time.

The folder is given by `app` (in the user's cache folder, never under the root or a repository). An entry is
used only by the very code that wrote it.
"""

import functools
import hashlib
from pathlib import Path
from typing import Protocol

from state.kept_answers import KeptAnswers


class Cache(Protocol):
    """Parsed documents by content."""

    def get(self, key: str) -> bytes | None:
        """Return what was put under the key, or None."""
        ...

    def put(self, key: str, entry: bytes) -> None:
        """Keep an entry, if that is possible."""
        ...


class NoCache:
    """Remembers nothing."""

    def get(self, key: str) -> bytes | None:
        del key
        return None

    def put(self, key: str, entry: bytes) -> None:
        del key, entry


class FileCache(KeptAnswers):
    """Entries in one file, which is this code's own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / f"specs-{code_digest()[:16]}")


@functools.cache
def code_digest() -> str:
    """Return a digest of this package's code: another version never reads what this one wrote."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
