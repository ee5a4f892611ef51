"""What a chat template may take for one conversation: rounds, memory for what it makes, and time.

A template comes with a model, and so from anybody. What it needs grows with the conversation, and so does
what it may have. Steps and sizes decide rather than a clock: the same conversation is refused on every
machine. The clock is for what a few steps over very long texts take.
"""

import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

import jinja2

MOST_STEPS, MOST_STEPS_OF_A_MESSAGE = 100_000, 1000
"""Of one conversation, whatever its length, and for each of its messages besides."""
MOST_CHARACTERS, MOST_CHARACTERS_OF_A_MESSAGE, MOST_TIMES_A_MESSAGE = 1 << 20, 1 << 10, 16
"""Of each text (items of each list) on the way to a conversation's: whatever its length, for each of its
messages, and for each of their characters besides."""
MOST_TEXTS = 64
"""As large as the largest may be: bytes of all that is made on the way, as if nothing were let go of."""
MOST_SECONDS = 10.0
"""Of one conversation, of the processor's time in its thread."""
_STEPS_BETWEEN_LOOKS = 64
"""At the clock, which costs more than a step."""
_SIZED = (str, list, tuple, dict)
_OF_ANY_VALUE = 32
"""Characters that a number or a name is written with, about."""
_OF_A_WEIGHT = 192
"""Bytes that remembering one takes, about."""


class Allowance:
    """What is left for one conversation."""

    def __init__(self, contents: Sequence[str]) -> None:
        """`contents` are the conversation's, one of each message."""
        self._most_steps = self._steps = MOST_STEPS + len(contents) * MOST_STEPS_OF_A_MESSAGE
        self.most = (
            MOST_CHARACTERS
            + len(contents) * MOST_CHARACTERS_OF_A_MESSAGE
            + sum(map(len, contents)) * MOST_TIMES_A_MESSAGE
        )
        """Characters of a text, or items of a list."""
        self._bytes = self.most * MOST_TEXTS
        self._unseen = 0
        self._until = time.thread_time() + MOST_SECONDS
        self._weights: dict[int, tuple[int, object]] = {}
        """Of what was weighed, by its identity, how much is in it; kept, so that nothing else gets that."""

    def step(self, steps: int = 1) -> None:
        """Take steps.

        Raises:
            jinja2.TemplateError: none are left, or no time.
        """
        self._steps -= steps
        if self._steps < 0:
            raise jinja2.TemplateError(
                f"it loops without end: more than {self._most_steps:,} rounds of loops and calls of macros"
            )
        self._unseen += steps
        if self._unseen >= _STEPS_BETWEEN_LOOKS:
            self._look()

    def made(self, value: Any) -> Any:
        """Return what an operation made, and take the memory for it.

        Raises:
            jinja2.TemplateError: it, or all that was made, is larger than what the conversation needs.
        """
        self._bytes -= sys.getsizeof(value)
        if self._bytes < 0:
            raise jinja2.TemplateError(
                f"it makes texts without end: more than {self.most * MOST_TEXTS:,} bytes in all"
            )
        if isinstance(value, _SIZED) and len(value) > self.most:
            self.refuse("a text")
        self.weigh(value)
        self._unseen += 1
        if self._unseen >= _STEPS_BETWEEN_LOOKS:
            self._look()
        return value

    def written(self, parts: Iterator[str]) -> Iterator[str]:
        """Yield the parts of the conversation's text.

        Raises:
            jinja2.TemplateError: they are longer than what the conversation needs.
        """
        left = self.most
        for part in parts:
            left -= len(part)
            if left < 0:
                raise jinja2.TemplateError(f"it writes more than {self.most:,} characters")
            yield part

    def check(self, size: int, what: str = "a text") -> None:
        """Refuse to make what has so many characters or items.

        Raises:
            jinja2.TemplateError: they are more than what the conversation needs.
        """
        if size > self.most:
            self.refuse(what)

    def refuse(self, what: str) -> NoReturn:
        """Raise the error of something that is too large."""
        raise jinja2.TemplateError(
            f"{what} in it is larger than {self.most:,} characters, more than the conversation needs"
        )

    def size_of(self, *values: object, indent: int = 0) -> int:
        """Return about how many characters the values have once written, what is in them set in by `indent`.

        Raises:
            jinja2.TemplateError: they have more than the conversation needs; that is found out without going
                through all that they refer to, which may be the same thing again and again.
        """
        size, inside = 0, [(value, 0) for value in values]
        while inside:
            value, depth = inside.pop()
            size += depth * indent + _characters(value)
            self.check(size)
            inside.extend((one, depth + 1) for one in _items(value))
        return size

    def weigh(self, value: object) -> int:
        """Return how many values are in a list or table, in those in it, and so on; 1 of any other value.

        Few steps make a list with the same one in it twice, in which is the same one twice, and so on: to
        compare two such, or to look one up, has no end, and nothing in it is counted. Nothing is changed
        after it was made, so each list is gone through once.

        Raises:
            jinja2.TemplateError: more than the conversation needs.
        """
        if not isinstance(value, list | tuple | dict):
            return 1
        if id(value) not in self._weights:
            weight = 1 + sum(map(self.weigh, _items(value)))
            if weight > self.most:
                raise jinja2.TemplateError(
                    f"a list in it has more than {self.most:,} values in its lists, more than the "
                    "conversation needs"
                )
            self._weights[id(value)] = (weight, value)
            self._bytes -= _OF_A_WEIGHT
        return self._weights[id(value)][0]

    def _look(self) -> None:
        self._unseen = 0
        if time.thread_time() > self._until:
            raise jinja2.TemplateError(f"it is at work without end: more than {MOST_SECONDS:g} seconds")


def _characters(value: object) -> int:
    """Return about how many characters a value has, without what is in it."""
    if isinstance(value, str | Collection) and not isinstance(value, range):
        return len(value)
    return value.bit_length() // 3 + 1 if isinstance(value, int) else _OF_ANY_VALUE


def _items(value: object) -> Iterable[object]:
    """Return what is in a list, a table or a view of one."""
    if isinstance(value, str | range) or not isinstance(value, Collection):
        return ()
    return [*value.keys(), *value.values()] if isinstance(value, Mapping) else value


_ALLOWANCE: ContextVar[Allowance] = ContextVar("allowance")


def allowance() -> Allowance:
    """Return what is left for the conversation that is being rendered."""
    return _ALLOWANCE.get()


@contextmanager
def allowance_for(contents: Sequence[str]) -> Iterator[Allowance]:
    """Let a template take what a conversation of these contents may take."""
    given = Allowance(contents)
    token = _ALLOWANCE.set(given)
    try:
        yield given
    finally:
        _ALLOWANCE.reset(token)
