"""Plain YAML scalars by the core schema of YAML 1.2 (chapter 10.3.2): the only place that decides types."""

import math
import re

MAX_DIGITS = 40
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o([0-7]+)", re.ASCII)
_HEXADECIMAL = re.compile(r"0x([0-9a-fA-F]+)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)

Scalar = str | int | float | bool | None


class BadScalar(ValueError):
    """A number that a spec may not hold; the text says which and why."""


def plain_scalar(text: str) -> Scalar:
    """Return the value of an unquoted scalar; `no`, dates and version numbers with two dots stay text.

    Raises:
        BadScalar: infinite, not a number, beyond what a double holds, or of more than 40 digits.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _NOT_FINITE.fullmatch(text):
        raise BadScalar(f"is {text}; expected a finite number")
    return _number(text)


def _number(text: str) -> str | int | float:
    for pattern, base in ((_INTEGER, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        if match := pattern.fullmatch(text):
            return _integer(match[match.lastindex or 0], base)
    return _float(text) if _FLOAT.fullmatch(text) else text


def _integer(digits: str, base: int) -> int:
    if len(digits) > MAX_DIGITS:
        raise BadScalar(f"is a number of {len(digits)} digits; at most {MAX_DIGITS} are read")
    return int(digits, base)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadScalar(f"is {text[:MAX_DIGITS]}, beyond the largest number there is room for")
    return value


def kind_of(value: object) -> str:
    """Return what a value is, in a person's words: `a string`, `a number`, `a list`."""
    if value is None:
        return "empty"
    return next((words for type_, words in _KINDS if isinstance(value, type_)), "a mapping")


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a string"),
    (list, "a list"),
    (tuple, "a list"),
)
