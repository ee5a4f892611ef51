"""Remember what was found out about a file's content, between one command and the next.

The key holds everything that the answer depends on, so an entry is never wrong, at most useless. A cache
that cannot be read or written costs time and nothing else.
"""

import hashlib
import os
from pathlib import Path
from typing import Protocol

from reconciler.observed.folders import Signature

_MAX_ENTRY_BYTES = 64 * 1024 * 1024
_FORMAT = "1"


class FactCache(Protocol):
    """Keeps small answers by key."""

    def get(self, key: str) -> bytes | None:
        """Return the answer under this key; None when there is none."""

    def put(self, key: str, answer: bytes) -> None:
        """Remember the answer."""


class MemoryCache:
    """A cache that ends with the process."""

    def __init__(self) -> None:
        self._answers: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self._answers.get(key)

    def put(self, key: str, answer: bytes) -> None:
        self._answers[key] = answer


class FolderCache:
    """A cache in the user's cache folder, one file an answer; never under the root or the repository."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        try:
            with self._file(key).open("rb") as file:
                content = file.read(_MAX_ENTRY_BYTES)
        except OSError:
            return None
        head, _, answer = content.partition(b"\n")
        return answer if head == _checksum(key, answer) else None

    def put(self, key: str, answer: bytes) -> None:
        file = self._file(key)
        temporary = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_bytes(_checksum(key, answer) + b"\n" + answer)
            temporary.replace(file)
        except OSError:
            return  # the next command finds out again

    def _file(self, key: str) -> Path:
        return self._folder / hashlib.sha256(f"{_FORMAT}\0{key}".encode()).hexdigest()


def content_key(kind: str, real_path: str, seen: Signature, *more: str) -> str:
    """Return the key of an answer of this kind about the content of a file that has not changed."""
    return "\0".join((kind, ascii(real_path), *map(str, seen), *more))


def _checksum(key: str, answer: bytes) -> bytes:
    """Return what tells a whole entry for this key from a torn or foreign one."""
    return hashlib.sha256(key.encode() + b"\0" + answer).hexdigest().encode()
