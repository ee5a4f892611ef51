"""The sidecar of a file of rows: what it says of where they come from, or why that is no evidence."""

import os
import stat
from pathlib import Path

import msgspec

from state.amounts import count, size
from state.contract.contents import Sieved
from state.contract.lineage import SUFFIX, Lineage

_MOST_BYTES = 1 << 20


def read_sidecar(place: Path) -> Lineage | str | None:
    """Return what a sidecar says, or why it cannot be read; None where there is none."""
    if not os.path.lexists(place):
        return None
    content = _small_file(place)
    if content is None:
        return f"no plain file of at most {size(_MOST_BYTES)} that can be read"
    try:
        return msgspec.json.decode(content, type=Lineage)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"not a record of where rows come from ({error})"


def unreadable_text(place: Path, why: str) -> str:
    """Return that a sidecar is no evidence."""
    return f"{place}: {why}; who made these rows is not known from it"


def sidecar_problem(file: str, content: Sieved | None, start_byte: int) -> str | None:
    """Return what is wrong with the sidecar of a person's file: it cannot be read, or is about other rows."""
    place = Path(file + SUFFIX)
    found = read_sidecar(place)
    if isinstance(found, str):
        return unreadable_text(place, found)
    said = found.example_count if found is not None else None
    if said is None or content is None or start_byte:
        return None
    has = content.num_rows + content.num_left_out
    if said == has:
        return None
    return f"{place}: example_count says {count(said, 'row')}, the file has {has:,}; it is about other rows"


def _small_file(path: Path) -> bytes | None:
    """Return the content of a plain file of at most a mebibyte; no link is followed, no pipe waited for."""
    try:
        with os.fdopen(
            os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb"
        ) as file:
            status = os.fstat(file.fileno())
            is_small = stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES
            return file.read() if is_small else None
    except OSError:
        return None
