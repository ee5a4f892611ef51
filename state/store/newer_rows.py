"""Files of rows that newer software wrote: each plan looks for them, so this imports nothing that writes."""

import os
import re
from pathlib import Path

from state.contract.files import version_of
from state.inside import opened, read_file

MAX_BYTES = 1 << 30
VERSION = 1
"""Of the schema of the files of rows that this software writes."""
CAMPAIGNS, SUFFIX = "campaigns", ".json"
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_HEAD = b'{"schema_version":%d,' % VERSION


def newer_rows(folder: Path) -> str | None:
    """Say which file of rows newer software wrote; None: there is none. Of most it reads the head alone."""
    for place in (folder, folder / CAMPAIGNS):
        for name in _not_as_written(place):
            if (version := _version(place / name)) > VERSION:
                newer = f"schema version {version} is newer than {VERSION}"
                return f"{place / name}: {newer}, which this software knows"
    return None


def _not_as_written(folder: Path) -> list[str]:
    """Return the names of the files of rows whose head is not what this software writes: there are many."""
    try:
        with opened(folder) as inside, os.scandir(inside) as entries:
            names = sorted(entry.name for entry in entries if is_named_as_ours(entry.name))
            return [name for name in names if not _is_known(name, inside)]
    except OSError:
        return []  # there is none, or who writes there says what is wrong with it


def _is_known(name: str, folder: int) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    try:
        return os.read(descriptor, len(_HEAD)) == _HEAD
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _version(path: Path) -> int:
    """Return the schema version of a file of rows; 0 of one that is damaged: it may be written anew."""
    try:
        return version_of(read_file(path, MAX_BYTES)) or 0
    except OSError:
        return 0


def is_named_as_ours(name: str) -> bool:
    """Is this the name of a file of rows?"""
    return name.endswith(SUFFIX) and NAME.fullmatch(name.removesuffix(SUFFIX)) is not None
