"""Levels give the width of the numbers, difficulties the length of the answer; the two are independent."""

from typing import Literal

import msgspec

Difficulty = Literal["easy", "medium", "hard", "expert"]
DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "medium", "hard", "expert")
SIGNALS: dict[Difficulty, str] = {"easy": "", "medium": "verify", "hard": "show-work", "expert": "trace"}
"""The word in brackets that asks for an answer of this difficulty."""

MAX_LEVEL = 30
FIRST_SYMBOL_LEVEL, SYMBOL_PERCENT = 8, 75
_WIDER = {29: 30, 30: 32}
_CHAIN_LENGTHS: dict[Difficulty, tuple[int, int]] = {
    "easy": (1, 1),
    "medium": (1, 2),
    "hard": (2, 3),
    "expert": (3, 5),
}
_MIX = ((5, (50, 35, 12, 3)), (10, (40, 35, 20, 5)), (15, (30, 35, 25, 10)), (20, (25, 30, 30, 15)),
        (25, (20, 30, 30, 20)), (30, (15, 25, 35, 25)))  # fmt: skip


class Level(msgspec.Struct, frozen=True):
    """One of the thirty levels."""

    number: int

    @property
    def bits(self) -> int:
        """Return the width of the level's numbers."""
        return _WIDER.get(self.number, self.number + 1)

    @property
    def max_unsigned(self) -> int:
        """Return the largest number without a sign."""
        return (1 << self.bits) - 1

    @property
    def max_signed(self) -> int:
        """Return the largest magnitude of a number with a sign."""
        return (1 << (self.bits - 1)) - 1

    @property
    def mix(self) -> tuple[int, ...]:
        """Return how many of a hundred problems are easy, medium, hard and expert."""
        return next(mix for last, mix in _MIX if self.number <= last)

    @property
    def has_symbols(self) -> bool:
        """Do most problems of this level come with symbols of their own?"""
        return self.number >= FIRST_SYMBOL_LEVEL

    @property
    def is_smallest(self) -> bool:
        """Is this level 1, which sets single operations without signs and comparisons only?

        So its problems are few enough to be asked all of them.
        """
        return self.number == 1

    def chain_lengths(self, difficulty: Difficulty) -> tuple[int, int]:
        """Return how many operations a problem nests, at least and at most.

        Never more than the level's number: in two bits nearly every chain would leave the range.
        """
        least, most = _CHAIN_LENGTHS[difficulty]
        return min(least, self.number), min(most, self.number)


def level_of(number: int) -> Level:
    """Return the level with this number.

    Raises:
        ValueError: there is no such level.
    """
    if not 1 <= number <= MAX_LEVEL:
        raise ValueError(f"level {number} does not exist; bin has levels 1 to {MAX_LEVEL}")
    return Level(number)
