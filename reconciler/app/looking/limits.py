"""At most so many things of a list: of what has a time the newest, of the rest the first. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")

TIMES: Mapping[str, str] = {
    **{"checkpoints": "timestamp", "runs": "launched_at", "launches": "launched_at", "jobs": "created_at"},
    **{"trash": "trashed_at", "legends": "archived_at"},
}
"""Kind of a list → the field that says when a thing of it came to be."""


def places_within(kind: str, items: Sequence[Item], limit: int | None) -> Sequence[int]:
    """Return the places of the things that are listed, in the order of the list."""
    if limit is None or limit >= len(items):
        return range(len(items))
    if kind not in TIMES:
        return range(limit)
    times = [getattr(item, TIMES[kind]) or "" for item in items]
    newest = sorted(range(len(items)), key=lambda place: (times[place], place), reverse=True)
    return sorted(newest[:limit])
