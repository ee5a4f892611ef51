"""Remember what was found out about a file's content, between one command and the next.

The key holds everything that the answer depends on, so an entry is never wrong, at most useless. A cache
that cannot be read or written costs time and nothing else. `state.kept_answers` keeps them in a file.
"""

from typing import Protocol

from reconciler.observed.folders import Signature


class FactCache(Protocol):
    """Keeps small answers by key."""

    def get(self, key: str) -> bytes | None:
        """Return the answer under this key; None when there is none."""

    def get_all(self, prefix: str) -> dict[str, bytes]:
        """Return every answer whose key begins with this, by key."""

    def put(self, key: str, answer: bytes) -> None:
        """Remember the answer."""


def content_key(kind: str, real_path: str, seen: Signature, *more: str) -> str:
    """Return the key of an answer of this kind about the content of a file that has not changed."""
    return "\0".join((kind, ascii(real_path), *map(str, seen), *more))
