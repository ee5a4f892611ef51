"""The operations of BIN: what they compute, on which operands, and how a person writes them in decimal.

Operands and results stay inside the level's range, as in the skill's own evaluation sets: nothing overflows
and nothing without a sign becomes negative, so that every problem has one answer.
"""

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

Family = Literal["unsigned", "special", "signed", "comparison", "conversion"]
Result = int | str
Range = tuple[int, int]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation."""

    name: str
    family: Family
    compute: Callable[..., Result]
    decimal: str
    """The calculation in decimal: {a} and {b} are operands, {q} and {s} the same in brackets when negative,
    {r} is the result, {rest} what a division leaves."""
    first: Callable[[int], Range]
    """Largest number of the level → range of the first operand."""
    second: Callable[[int, int], Range] | None = None
    """First operand, largest number → range of the second operand; None: there is only one operand."""
    is_asked: bool = True
    """The generator sets problems with it; the others are understood only."""

    @property
    def arity(self) -> int:
        """Return the number of operands."""
        return 1 if self.second is None else 2

    @property
    def has_signs(self) -> bool:
        """Does it work on numbers with a sign?"""
        return self.family == "signed"

    @property
    def reads_decimal(self) -> bool:
        """Is its operand written in decimal?"""
        return self.name == "tobinary"

    @property
    def writes_decimal(self) -> bool:
        """Is its result written in decimal?"""
        return self.name == "todecimal"

    def operands(self, largest: int) -> Iterator[tuple[int, ...]]:
        """Yield every choice of operands."""
        for a in _span(self.first(largest)):
            if self.second is None:
                yield (a,)
            else:
                yield from ((a, b) for b in _span(self.second(a, largest)))

    def sentence(self, operands: tuple[int, ...], result: Result) -> str:
        """Return the calculation in decimal, for example `5 - (-3) = 8`."""
        a, b = operands if len(operands) > 1 else (operands[0], 0)
        rest = a - b * result if self.name == "divide" and isinstance(result, int) else a % 2
        return self.decimal.format(a=a, b=b, r=_word(result), q=_bracketed(a), s=_bracketed(b), rest=rest)


def _span(bounds: Range) -> range:
    return range(bounds[0], bounds[1] + 1)


def _bracketed(number: int) -> str:
    return f"({number})" if number < 0 else str(number)


def _word(result: Result) -> str:
    return str(result)


def _truth(value: bool) -> str:  # noqa: FBT001 - it is the value itself
    return "true" if value else "false"


def _sign(a: int) -> str:
    return "zero" if a == 0 else "positive" if a > 0 else "negative"


def _any(largest: int) -> Range:
    return 0, largest


def _any_signed(largest: int) -> Range:
    return -largest, largest


def _any_second(_: int, largest: int) -> Range:
    return 0, largest


def _factor(a: int, largest: int) -> Range:
    return 0, largest // a if a else largest


def _signed_factor(a: int, largest: int) -> Range:
    most = largest // abs(a) if a else largest
    return -most, most


def _signed_addend(a: int, largest: int) -> Range:
    return max(-largest, -largest - a), min(largest, largest - a)


def _signed_subtrahend(a: int, largest: int) -> Range:
    return max(-largest, a - largest), min(largest, a + largest)


def _compare(name: str, compute: Callable[[int, int], Result], decimal: str) -> Operation:
    return Operation(
        name=name, family="comparison", compute=compute, decimal=decimal, first=_any, second=_any_second
    )


_ALL = (
    Operation(name="add", family="unsigned", compute=lambda a, b: a + b, decimal="{a} + {b} = {r}",
              first=_any, second=lambda a, largest: (0, largest - a)),
    Operation(name="subtract", family="unsigned", compute=lambda a, b: a - b, decimal="{a} - {b} = {r}",
              first=_any, second=lambda a, _: (0, a)),
    Operation(name="multiply", family="unsigned", compute=lambda a, b: a * b, decimal="{a} x {b} = {r}",
              first=_any, second=_factor),
    Operation(name="increment", family="unsigned", compute=lambda a: a + 1, decimal="{a} + 1 = {r}",
              first=lambda largest: (0, largest - 1)),
    Operation(name="decrement", family="unsigned", compute=lambda a: a - 1, decimal="{a} - 1 = {r}",
              first=lambda largest: (1, largest)),
    Operation(name="multiply_by_2", family="special", compute=lambda a: a * 2, decimal="{a} x 2 = {r}",
              first=lambda largest: (0, largest // 2)),
    Operation(name="divide_by_2", family="special", compute=lambda a: a // 2, first=_any,
              decimal="{a} = 2 x {r} + {rest}"),
    Operation(name="tobinary", family="conversion", compute=lambda a: a, decimal="{a}", first=_any),
    Operation(name="todecimal", family="conversion", compute=lambda a: a, decimal="{a}", first=_any),
    Operation(name="add_signed", family="signed", compute=lambda a, b: a + b, decimal="{a} + {s} = {r}",
              first=_any_signed, second=_signed_addend),
    Operation(name="subtract_signed", family="signed", compute=lambda a, b: a - b, decimal="{a} - {s} = {r}",
              first=_any_signed, second=_signed_subtrahend),
    Operation(name="multiply_signed", family="signed", compute=lambda a, b: a * b, decimal="{q} x {s} = {r}",
              first=_any_signed, second=_signed_factor),
    Operation(name="negate", family="signed", compute=lambda a: -a, decimal="0 - {q} = {r}",
              first=_any_signed),
    Operation(name="absolute_value", family="signed", compute=abs, decimal="|{a}| = {r}", first=_any_signed),
    Operation(name="sign_of", family="signed", compute=_sign, decimal="{a} is {r}", first=_any_signed,
              is_asked=False),
    Operation(name="divide", family="unsigned", compute=lambda a, b: a // b, first=_any,
              second=lambda _, largest: (1, largest), decimal="{a} = {b} x {r} + {rest}", is_asked=False),
    _compare("equals", lambda a, b: _truth(a == b), "{a} = {b} is {r}"),
    _compare("lessthan", lambda a, b: _truth(a < b), "{a} < {b} is {r}"),
    _compare("greaterthan", lambda a, b: _truth(a > b), "{a} > {b} is {r}"),
    _compare("minimum", min, "min({a}, {b}) = {r}"),
    _compare("maximum", max, "max({a}, {b}) = {r}"),
)  # fmt: skip

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _ALL}
