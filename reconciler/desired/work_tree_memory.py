"""git's names for the contents of a work tree's files, read again only where somebody touched a file.

A name counts while inode, times and size of the file are as they were. What changed less than two seconds
before the look is not remembered: it may change again within a tick of the file system's clock.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from reconciler.desired.parse_cache import Cache

SETTLED_SECONDS = 2.0
Signature = tuple[int, int, int, int]
"""Inode, time of the last write, time of the last change, size in bytes."""
_CTIME_NS = 2
_Names = dict[str, tuple[Signature, str]]


def names_of_contents(
    top: Path, files: Mapping[str, Signature], name: Callable[[str], str], cache: Cache, rules: str
) -> dict[str, str]:
    """Return path → the name of its content, as `name` reads it.

    `files`: paths from the top folder, with what they look like now; `rules`: by which content is named.
    """
    key, settled_ns = f"work-tree-{rules}-{str(top)!a}", time.time_ns() - int(SETTLED_SECONDS * 1e9)
    known = _recall(cache.get(key))
    found = {
        path: one if (one := known.get(path)) is not None and one[0] == seen else (seen, name(path))
        for path, seen in files.items()
    }
    settled = {path: one for path, one in found.items() if one[0][_CTIME_NS] < settled_ns}
    if settled != known:
        _put(cache, key, settled)
    return {path: one[1] for path, one in found.items()}


def _recall(entry: bytes | None) -> _Names:
    try:
        return msgspec.msgpack.decode(entry, type=_Names) if entry is not None else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _put(cache: Cache, key: str, names: _Names) -> None:
    try:
        cache.put(key, msgspec.msgpack.encode(names))
    except UnicodeEncodeError:
        return  # a path of odd bytes: read them all each time
