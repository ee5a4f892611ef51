"""What was parsed before, by content: a folder of small files that may be lost, stale or damaged at any time.

The folder is given by `app` (in the user's cache folder, never under the root or a repository). An entry is
used only when its own digest is right, and only by the very code that wrote it.
"""

import functools
import hashlib
import os
import re
from pathlib import Path
from typing import Protocol

_DIGEST_BYTES = 32
_KEY = re.compile(r"[0-9a-f]{40,64}-[a-z]+")
_MAX_BYTES = 32 * 1024 * 1024


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


class FileCache:
    """Entries as files of one folder. What cannot be read is absent, what cannot be written is not kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / f"specs-{code_digest()[:16]}"

    def get(self, key: str) -> bytes | None:
        try:
            fd = os.open(self._file(key), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(fd, "rb") as file:
                content = file.read(_MAX_BYTES)
        except OSError:
            return None
        digest, entry = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        return entry if digest == _digest(key, entry) else None

    def put(self, key: str, entry: bytes) -> None:
        temporary = self.folder / f".{os.urandom(8).hex()}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_bytes(_digest(key, entry) + entry)
            temporary.replace(self._file(key))
        except OSError:
            temporary.unlink(missing_ok=True) if self.folder.is_dir() else None

    def _file(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of the parse cache")
        return self.folder / key


def _digest(key: str, entry: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + entry).digest()


@functools.cache
def code_digest() -> str:
    """Return a digest of this package's code: another version never reads what this one wrote."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
