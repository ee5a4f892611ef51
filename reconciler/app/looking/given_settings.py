"""The settings that a record gives, by key path; and those of a hero that no campaign can change."""

from collections.abc import Iterator
from typing import Any

import msgspec

from reconciler.desired.desired import Source
from reconciler.desired.hero import Hero

_FOR_PEOPLE = frozenset(
    {"id", "name", "rpg_name", "notes", "description", "version", "labels", "suspend", "display"}
)
_FIXED = ("model", "chat")


def given(record: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every value that is given, with its key path; what only people read is left out."""
    pairs = record.items() if isinstance(record, dict) else _fields(record)
    for name, value in pairs:
        if value is None or (not at and name in _FOR_PEOPLE):
            continue
        if isinstance(value, (dict, msgspec.Struct)) and value:
            yield from given(value, (*at, name))
        else:
            yield (*at, name), value


def fixed_settings(hero: Source[Hero]) -> Iterator[tuple[str, Any, str]]:
    """Yield key, value and file:line of what a hero says of its model and its chat template."""
    for path, value in given(hero.spec):
        if path[0] in _FIXED:
            yield ".".join(path), msgspec.to_builtins(value), hero.where(*path)


def _fields(record: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    return ((name, getattr(record, name)) for name in record.__struct_fields__)
