"""Prompts read back, with nothing but their text: the expression, the notation and the difficulty."""

import re

from trainer.skills.bin.expressions import Call, Expression
from trainer.skills.bin.levels import SIGNALS, Difficulty
from trainer.skills.bin.notation import PLAIN, Notation
from trainer.skills.bin.operations import OPERATIONS, Operation

_TASK = re.compile(r"Compute(?: \[(?P<signal>[a-z-]+)\])?: (?P<expression>\S.*)")
_KEY_LINE = re.compile(r"\s+(?P<symbol>\S+) = (?P<meaning>[a-z0-9_]+)(?: \((?:zero|one) bit\))?")
_TOKEN = re.compile(r"\s*([(),]|[^(),\s]+)")
_MAX_DEPTH = 32


class ProblemError(Exception):
    """A prompt that is no BIN problem; says which part and why."""


class Problem:
    """A prompt taken apart."""

    def __init__(self, prompt: str) -> None:
        """Read a prompt.

        Raises:
            ProblemError: it is no BIN problem.
        """
        *key, task = prompt.strip().splitlines() or [""]
        match = _TASK.fullmatch(task)
        if match is None:
            raise ProblemError(f"the last line is {task!r}; expected `Compute[ [signal]]: op(args)`")
        self.notation = _read_key(key)
        self.difficulty = _difficulty(match["signal"] or "")
        self.expression = _Reader(match["expression"], self.notation).read_all()


def _difficulty(signal: str) -> Difficulty:
    for difficulty, known in SIGNALS.items():
        if signal == known:
            return difficulty
    raise ProblemError(
        f"unknown signal [{signal}]; expected one of {', '.join(filter(None, SIGNALS.values()))}"
    )


def _read_key(lines: list[str]) -> Notation:
    if not lines:
        return PLAIN
    digits: dict[str, str] = {}
    symbols: list[tuple[str, str]] = []
    for line in lines:
        match = _KEY_LINE.fullmatch(line)
        if match is None and line.strip() not in ("", "Symbol Key:", "Operations:"):
            raise ProblemError(f"the key has the line {line!r}; expected `  symbol = meaning`")
        if match and match["meaning"] in ("0", "1"):
            digits[match["meaning"]] = match["symbol"]
        elif match:
            symbols.append((match["symbol"], match["meaning"]))
    if digits.keys() != {"0", "1"}:
        raise ProblemError("the key does not say what the digits 0 and 1 are")
    return Notation(zero=digits["0"], one=digits["1"], symbols=tuple(symbols))


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, text: str, notation: Notation) -> None:
        self._tokens = _TOKEN.findall(text)[::-1]
        self._notation = notation

    def read_all(self) -> Call:
        expression = self._expression(depth=0, in_decimal=False)
        if self._tokens:
            raise ProblemError(f"{self._tokens[-1]!r} follows the end of the expression")
        if isinstance(expression, int):
            raise ProblemError("a number alone; expected op(args)")
        return expression

    def _expression(self, *, depth: int, in_decimal: bool) -> Expression:
        if depth > _MAX_DEPTH:
            raise ProblemError(f"operations nested more than {_MAX_DEPTH} deep")
        token = self._next()
        if not self._tokens or self._tokens[-1] != "(":
            return _decimal(token) if in_decimal else _binary(token, self._notation)
        named = _operations_named(token, self._notation)
        in_decimal = any(operation.reads_decimal for operation in named)
        operands = []
        while self._next() != ")":
            operands.append(self._expression(depth=depth + 1, in_decimal=in_decimal))
            if not self._tokens or self._tokens[-1] not in (",", ")"):
                raise ProblemError(f"{token}(...: expected `,` or `)` after operand {len(operands)}")
        return Call(_by_arity(token, named, len(operands)), tuple(operands))

    def _next(self) -> str:
        if not self._tokens:
            raise ProblemError("the expression ends too early")
        return str(self._tokens.pop())


def _operations_named(symbol: str, notation: Notation) -> list[Operation]:
    """Return what a symbol may mean: in the skill's own sets one sometimes stands for two operations."""
    meanings = [name for known, name in notation.symbols if known == symbol] or [symbol]
    found = [OPERATIONS[name] for name in meanings if name in OPERATIONS]
    if not found:
        raise ProblemError(f"unknown operation {symbol!r}; known: {', '.join(sorted(OPERATIONS))}")
    return found


def _by_arity(symbol: str, named: list[Operation], num_operands: int) -> Operation:
    fitting = [operation for operation in named if operation.arity == num_operands]
    if len(fitting) != 1:
        names = " or ".join(operation.name for operation in named)
        raise ProblemError(f"{symbol!r} with {num_operands} operands could not be read as {names}")
    return fitting[0]


def _decimal(token: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,20}", token, re.ASCII):
        raise ProblemError(f"{token!r} is not a decimal number")
    return int(token)


def _binary(token: str, notation: Notation) -> int:
    digits = re.escape(notation.zero), re.escape(notation.one)
    number = rf"-?(?:{digits[0]}|{digits[1]})(?:{notation.joiner}(?:{digits[0]}|{digits[1]}))*"
    if not re.fullmatch(number, token):
        raise ProblemError(f"{token!r} is not a number in {notation.zero} and {notation.one}")
    bits = re.findall("|".join(digits), token)
    value = int("".join("1" if bit == notation.one else "0" for bit in bits), 2)
    return -value if token.startswith("-") else value
