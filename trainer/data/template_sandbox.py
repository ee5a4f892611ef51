"""The sandbox in which chat templates run: what they take of time and memory has an end, whatever they do.

A template comes with a model, and so from anybody. Each round of a loop, each call of a macro and each number
of a range is a step, and steps are counted; texts and lists cannot outgrow what any conversation needs. Steps
decide rather than a clock: the same conversation is refused on every machine. The clock is for what a few
steps over very long texts take. Nothing is worked out while a template is compiled, when nothing is counted.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import unwrap
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range

MOST_CHARACTERS = 1 << 26
"""Of a rendered conversation, and of each text or list on the way: more than any context takes in."""
MOST_STEPS, MOST_STEPS_OF_A_MESSAGE = 100_000, 1000
"""Of one conversation, whatever its length, and for each of its messages besides."""
MOST_SECONDS = 10.0
"""Of one conversation, of the processor's time in its thread."""
_STEPS_BETWEEN_LOOKS = 64
"""At the clock, which costs more than a step."""
_TO_A_WIDTH = ("batch", "center", "indent", "slice", "wordwrap")
"""Filters that make as much as a number says."""
_WIDTH = re.compile(r"\d+")
_NESTED = re.compile(r"\{[^{}]*\{")
"""`{:{}}`: a width that is a value."""
_STEP = " step"
"""A filter under a name that no template can write."""


class _Allowance:
    """What is left for one conversation."""

    def __init__(self, steps: int) -> None:
        self._most = self._left = steps
        self._unseen = 0
        self._until = time.thread_time() + MOST_SECONDS

    def take(self, steps: int) -> None:
        """Take steps.

        Raises:
            jinja2.TemplateError: none are left, or no time.
        """
        self._left -= steps
        if self._left < 0:
            raise jinja2.TemplateError(
                f"it loops without end: more than {self._most:,} rounds of loops and calls of macros"
            )
        self._unseen += steps
        if self._unseen < _STEPS_BETWEEN_LOOKS:
            return
        self._unseen = 0
        if time.thread_time() > self._until:
            raise jinja2.TemplateError(f"it is at work without end: more than {MOST_SECONDS:g} seconds")


_ALLOWANCE: ContextVar[_Allowance] = ContextVar("allowance")


@contextmanager
def allowance_for(num_messages: int) -> Iterator[None]:
    """Let a template take what a conversation of so many messages may take."""
    token = _ALLOWANCE.set(_Allowance(MOST_STEPS + num_messages * MOST_STEPS_OF_A_MESSAGE))
    try:
        yield
    finally:
        _ALLOWANCE.reset(token)


def _step(value: object) -> object:
    _ALLOWANCE.get().take(1)
    return value


def _range(*bounds: int) -> range:
    numbers = safe_range(*bounds)
    _ALLOWANCE.get().take(len(numbers))
    return numbers


class _Counting(CodeGenerator):
    """Writes a step into each round of a loop, each macro and each block, and a bound around what is made."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - jinja2's name
        """Write the whole template."""
        for one in list(node.find_all(nodes.Stmt)):
            if isinstance(one, nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block):
                one.body.insert(0, nodes.ExprStmt(_stepping(one, value=None), lineno=one.lineno))
            if isinstance(one, nodes.For) and one.test is not None:
                one.test = nodes.And(_stepping(one, value=True), one.test, lineno=one.lineno)
        super().visit_Template(node, frame)

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        """Return what stands between the tags; all else is worked out while a conversation is rendered."""
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return str(super()._output_child_to_const(node, frame, finalize))

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - jinja2's name
        """Write `a ~ b`."""
        self._write_bounded(super().visit_Concat, node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802 - jinja2's name
        """Write `a | b`."""
        if node.name == _STEP:
            super().visit_Filter(node, frame)
        else:
            self._write_bounded(super().visit_Filter, node, frame)

    def _write_bounded(self, write: Any, node: nodes.Expr, frame: Frame) -> None:
        self.write("environment.bounded(")
        write(node, frame)
        self.write(")")


def _stepping(beside: nodes.Node, *, value: bool | None) -> nodes.Filter:
    constant = nodes.Const(value, lineno=beside.lineno)
    return nodes.Filter(constant, _STEP, [], [], None, None, lineno=beside.lineno)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without access to anything, and without work that has no end."""

    code_generator_class = _Counting
    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(optimized=False, **options)
        self.filters[_STEP] = _step
        self.filters["format"] = _format
        for name in _TO_A_WIDTH:
            self.filters[name] = _with_small_numbers(self.filters[name])
        self.globals["range"] = _range
        del self.globals["lipsum"], self.filters["random"]  # chance; and of the first as much as one likes

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return a sum, a product, a power, or a text with values put into it (or a remainder).

        Raises:
            jinja2.TemplateError: it would be larger than anything that a conversation needs.
        """
        if operator == "%" and isinstance(left, str):
            return _format(left, *(right if isinstance(right, tuple) else (right,)))
        if _size(operator, left, right) > MOST_CHARACTERS:
            what = "sum" if operator == "+" else "product"
            raise jinja2.TemplateError(f"a {what} in it is larger than {MOST_CHARACTERS:,} characters")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Return what a macro, a function or a method of a text makes."""
        method = unwrap(called)
        text = getattr(method, "__self__", None)
        if isinstance(text, str) and method.__name__ in ("format", "format_map"):
            check_numbers(_widths(text, (*args, *kwargs.values()), is_nested=bool(_NESTED.search(text))))
        elif isinstance(text, str):
            check_numbers([*args, *kwargs.values()])
        return self.bounded(super().call(context, called, *args, **kwargs))

    @staticmethod
    def bounded(made: Any) -> Any:
        """Return what an operation made.

        Raises:
            jinja2.TemplateError: it is larger than anything that a conversation needs.
        """
        if isinstance(made, str | list | tuple) and len(made) > MOST_CHARACTERS:
            raise jinja2.TemplateError(f"a text in it is larger than {MOST_CHARACTERS:,} characters")
        return made


def _size(operator: str, left: Any, right: Any) -> int:
    """Return about how many characters or items a sum, a product or a power of two values has."""
    if isinstance(left, int) and isinstance(right, int):
        return left.bit_length() * max(right, 0) if operator == "**" else 0
    if operator == "+":
        return sum(len(side) for side in (left, right) if isinstance(side, str | list | tuple))
    many, times = (right, left) if isinstance(left, int) else (left, right)
    is_repeated = isinstance(times, int) and isinstance(many, str | list | tuple)
    return len(many) * times if is_repeated else 0


def _format(text: str, *values: Any) -> str:
    """Return `text % values`, the widths in which are those of texts that a conversation may have."""
    check_numbers(_widths(text, values, is_nested="*" in text))
    return text % values


def _widths(text: str, values: Iterable[object], *, is_nested: bool) -> list[object]:
    """Return the numbers in a text that values are put into; `is_nested`: values may be widths, too."""
    return [*map(int, _WIDTH.findall(text)), *(values if is_nested else ())]


def _with_small_numbers(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that is given no number larger than a text may be."""

    @wraps(make)  # with what tells jinja which of its own things it is given
    def made(*args: Any, **kwargs: Any) -> Any:
        check_numbers([*args, *kwargs.values()])
        return make(*args, **kwargs)

    return made


def check_numbers(given: Iterable[object]) -> None:
    """Refuse a width that no text of a conversation has.

    Raises:
        jinja2.TemplateError: one of the numbers is larger.
    """
    if any(isinstance(one, int) and one > MOST_CHARACTERS for one in given):
        raise jinja2.TemplateError(f"a width in it is larger than {MOST_CHARACTERS:,} characters")
