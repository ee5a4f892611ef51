"""A problem's expression: an operation on numbers, or on the result of another operation."""

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from trainer.skills.bin.notation import Notation
from trainer.skills.bin.operations import OPERATIONS, Operation, Result


class Call(msgspec.Struct, frozen=True):
    """An operation on operands."""

    operation: Operation
    operands: tuple["Expression", ...]


Expression: TypeAlias = int | Call


class Step(msgspec.Struct, frozen=True):
    """One operation of an expression, carried out."""

    operation: Operation
    operands: tuple[int, ...]
    result: Result

    @property
    def sentence(self) -> str:
        """Return the step in decimal."""
        return self.operation.sentence(self.operands, self.result)


class NoResultError(Exception):
    """An expression that has no value, such as a division by zero."""


def call(name: str, *operands: Expression) -> Call:
    """Return the expression that applies an operation to operands."""
    return Call(OPERATIONS[name], operands)


def steps(expression: Call) -> list[Step]:
    """Return the operations in the order in which they are carried out; the last one gives the result.

    Raises:
        NoResultError: a division by zero, or a word used as a number.
    """
    done: list[Step] = []
    _carry_out(expression, done)
    return done


def _carry_out(expression: Call, done: list[Step]) -> Result:
    operands: list[int] = []
    for operand in expression.operands:
        value = _carry_out(operand, done) if isinstance(operand, Call) else operand
        if isinstance(value, str):
            raise NoResultError(f"{expression.operation.name} of {value}, which is no number")
        operands.append(value)
    try:
        result = expression.operation.compute(*operands)
    except ZeroDivisionError:
        raise NoResultError(f"{expression.operation.name} by zero") from None
    done.append(Step(expression.operation, tuple(operands), result))
    return result


def literals(expression: Call) -> Iterator[int]:
    """Yield the numbers that an expression is written with, from left to right."""
    for operand in expression.operands:
        if isinstance(operand, Call):
            yield from literals(operand)
        else:
            yield operand


def write(expression: Expression, notation: Notation) -> str:
    """Return the text of an expression, for example `add(①⓪, ①)`."""
    if isinstance(expression, int):
        return notation.number(expression)
    operation = expression.operation
    if operation.reads_decimal:
        operands = [str(operand) for operand in expression.operands]
    else:
        operands = [write(operand, notation) for operand in expression.operands]
    return f"{notation.name(operation.name)}({', '.join(operands)})"
