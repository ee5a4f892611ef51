"""Where each key and value of a document stands."""

import json
import re
from collections.abc import Mapping, Sequence

import msgspec

Step = str | int
KeyPath = tuple[Step, ...]
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Span(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of one line; line and column count from 1, width in characters."""

    line: int
    column: int
    width: int


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where one entry stands: its key (None in a list and at the top) and its value."""

    key: Span | None
    value: Span


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong at a key path, before it is known in which file and line that is."""

    at: KeyPath = ()
    on_key: bool = False
    """Is the key itself wrong, not its value?"""
    span: Span | None = None
    """Set when the place is known but has no key path, as in a parse error."""
    message: str
    known: tuple[str, ...] = ()
    nearest: str | None = None
    hint: str | None = None


def key_text(path: Sequence[Step]) -> str:
    """Return a key path as people write it: `quests[0].for`, `labels["odd key"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text


def span_of(places: Mapping[str, Place], path: Sequence[Step], *, on_key: bool = False) -> Span | None:
    """Return where a key path stands; where it is absent, where the nearest thing around it stands."""
    for end in range(len(path), -1, -1):
        place = places.get(key_text(path[:end]))
        if place is not None:
            wants_key = on_key or end < len(path)
            return place.key if wants_key and place.key is not None else place.value
    return None
