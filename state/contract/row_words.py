"""How a value of a row is named to people, and what can be wrong with one. Pure."""

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

_MAX_QUOTED = 60
_MAX_KEYS = 8


class Objection(NamedTuple):
    """Why a row cannot be trained on, before it is known which row that is."""

    found: str
    expected: str
    advice: str


def kind_of(value: Any) -> str:
    """Return a value of JSON in words: `the number 3`, `a list`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {quoted(value)}"
        case list():
            return "a list"
        case _:
            return "an object"


def keys_of(value: dict[str, Any]) -> str:
    """Return `Found the keys "a", "b"`."""
    if not value:
        return "Found no keys"
    return f"Found the keys {listed(value)}"


def listed(keys: Iterable[str]) -> str:
    """Return `"a", "b"`, of many keys the first ones."""
    return ", ".join(quoted(key) for key in islice(keys, _MAX_KEYS))


def quoted(value: Any) -> str:
    """Return a value as JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_QUOTED else text[: _MAX_QUOTED - 1] + "…"
