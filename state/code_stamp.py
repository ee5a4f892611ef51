"""Which code wrote a cache: another version of it never reads what this one wrote."""

import functools
import hashlib
import os
from collections.abc import Iterator
from types import ModuleType


@functools.cache
def code_stamp(*packages: ModuleType) -> str:
    """Return what changes with the code of these packages: place, size and time of each of its files.

    That is how Python, too, decides whether to compile a file again.
    """
    stamps = [
        _stamp(entry)
        for package in packages
        for entry in _sources(os.path.dirname(str(package.__file__)))  # noqa: PTH120 - a text is enough
    ]
    return hashlib.sha256(repr(sorted(stamps)).encode()).hexdigest()[:32]


def _sources(folder: str) -> "Iterator[os.DirEntry[str]]":
    """Yield each Python file of a package and of the packages in it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry
            elif not entry.name.startswith("__") and entry.is_dir():
                yield from _sources(entry.path)


def _stamp(entry: "os.DirEntry[str]") -> tuple[str, int, int]:
    status = entry.stat()
    return entry.path, status.st_size, status.st_mtime_ns
