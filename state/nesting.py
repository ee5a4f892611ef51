"""How deep JSON is nested: what anybody may write is bounded before anything calls itself for each level."""

from typing import Any

MAX_LEVELS = 100
"""So deep may objects and lists lie in each other. Whoever reads on, hashes or writes them needs a frame for
each level, and has about a thousand in all."""
_NESTS = (dict, list)
"""A tuple: a union is made anew for each look."""


def keys_and_levels(value: Any) -> tuple[int, int]:
    """Return how many keys all objects of a value have, and how many levels deep it is nested."""
    num_keys, num_levels, level = 0, 0, [value]
    while level:
        num_levels += 1
        below: list[Any] = []
        for one in level:
            inside = one
            if isinstance(one, dict):
                num_keys += len(one)
                inside = one.values()
            below += [part for part in inside if isinstance(part, _NESTS)]
        level = below
    return num_keys, num_levels


def is_too_deep(content: bytes, value: Any) -> bool:
    """Is what was read from these bytes nested deeper than the limit? Few brackets need no second look."""
    if content.count(b"[") + content.count(b"{") <= MAX_LEVELS:
        return False
    return keys_and_levels(value)[1] > MAX_LEVELS
