"""Seeded choices that are the same on every machine and Python version."""

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draws:
    """A stream of choices, named by text: equal names give equal streams.

    Only `getrandbits` of the Mersenne Twister is used; how `randrange` or `shuffle` turn bits into choices
    may change between Python versions.
    """

    def __init__(self, name: str) -> None:
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest())
        self._bits = random.Random(seed).getrandbits  # noqa: S311 - reproducible on purpose

    def below(self, bound: int) -> int:
        """Return an integer from 0 to bound - 1, each equally likely."""
        width = (bound - 1).bit_length()
        while (number := self._bits(width) if width else 0) >= bound:
            pass
        return number

    def between(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        return low + self.below(high - low + 1)

    def one_of(self, items: Sequence[T]) -> T:
        """Return one of the items, each equally likely."""
        return items[self.below(len(items))]

    def chance(self, percent: int) -> bool:
        """Is it so, in that many of a hundred cases?"""
        return self.below(100) < percent
