"""What was parsed before, by content; may be lost, stale or damaged at any time.

The folder is given by `app` (in the user's cache folder, never under the root or a repository). An entry is
used only by the very code that wrote it, as its files' sizes and times tell.
"""

from pathlib import Path
from typing import Protocol

from reconciler import desired
from state.code_stamp import code_stamp
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
        super().__init__(folder / f"specs-{code_stamp(desired)[:16]}")
