"""The sandbox in which chat templates run: what they take of time and memory has an end, whatever they do.

Each round of a loop, each call of a macro and each number of a range is a step, and steps are counted. Each
text and list that is made is counted, too, and what may be large is told before it is made. Nothing is worked
out while a template is compiled, when nothing is counted. `template_allowance` says how much there may be.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import (
    ImmutableSandboxedEnvironment,
    SandboxedEscapeFormatter,
    SandboxedFormatter,
    safe_range,
)
from jinja2.utils import Namespace
from markupsafe import Markup

from trainer.data.template_allowance import allowance
from trainer.data.template_texts import (
    NO_FILTERS,
    bounded_filter,
    check_widths,
    checked,
    format_filter,
    percent,
)

_STEP = " step"
"""A filter under a name that no template can write."""
_NO_METHODS = frozenset({"encode", "to_bytes", "translate"})
"""Bytes are no part of a conversation; and a table may put a long text in for each character."""


def _step(value: object) -> object:
    allowance().step()
    return value


def _range(*bounds: int) -> range:
    numbers = safe_range(*bounds)
    allowance().step(len(numbers))
    return numbers


class _Counting(CodeGenerator):
    """Writes a step into each round of a loop, each macro and each block, and a count around what is made."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - jinja2's name
        """Write the whole template."""
        for one in list(node.find_all(nodes.Stmt)):
            if isinstance(one, nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block):
                one.body.insert(0, nodes.ExprStmt(_stepping(one, value=None), lineno=one.lineno))
            if isinstance(one, nodes.For) and one.test is not None:
                one.test = nodes.And(_stepping(one, value=True), one.test, lineno=one.lineno)
        super().visit_Template(node, frame)

    def _output_child_to_const(self, *_: Any) -> NoReturn:
        """Work nothing out, not even that which stands between the tags: it is counted when it is written."""
        raise nodes.Impossible

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write("environment.written(")
        if _may_be_escaped(frame):
            super()._output_child_pre(node, frame, finalize)
            self.write("environment.weighed(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write(")")
        if _may_be_escaped(frame):
            super()._output_child_post(node, frame, finalize)
            self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - jinja2's name
        """Write `a ~ b`."""
        self.write("environment.made((markup_join if context.eval_ctx.autoescape else str_join)(")
        self.write("environment.weighed((")
        for one in node.nodes:
            self.visit(one, frame)
            self.write(", ")
        self.write("))))")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802 - jinja2's name
        """Write `a[b]` or `a[b:c]`, which makes a text or a list."""
        self._write_counted(super().visit_Getitem, node, frame, is_made=isinstance(node.arg, nodes.Slice))

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802 - jinja2's name
        """Write `[a, b]`."""
        self._write_counted(super().visit_List, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802 - jinja2's name
        """Write `(a, b)`, or the names that a tuple's items are given."""
        self._write_counted(super().visit_Tuple, node, frame, is_made=node.ctx == "load")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802 - jinja2's name
        """Write `{a: b}`."""
        self._write_counted(super().visit_Dict, node, frame)

    def _write_counted(self, write: Any, node: nodes.Expr, frame: Frame, *, is_made: bool = True) -> None:
        self.write("environment.made(" if is_made else "(")
        write(node, frame)
        self.write(")")


def _may_be_escaped(frame: Frame) -> bool:
    """Say whether what is written may stand in `{% autoescape %}`."""
    return bool(frame.eval_ctx.volatile or frame.eval_ctx.autoescape)


def _stepping(beside: nodes.Node, *, value: bool | None) -> nodes.Filter:
    constant = nodes.Const(value, lineno=beside.lineno)
    return nodes.Filter(constant, _STEP, [], [], None, None, lineno=beside.lineno)


class _Weighing:
    """Puts values into `{}` of a text: looks at each before it is written."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        """Return the value of a field."""
        value, first = super().get_field(field_name, args, kwargs)  # type: ignore[misc]  # of string.Formatter
        allowance().size_of(value)
        return value, first

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Return a field as it is written."""
        check_widths(format_spec)
        return allowance().made(super().format_field(value, format_spec))  # type: ignore[misc]  # as above


class _Formatter(_Weighing, SandboxedFormatter):
    pass


class _EscapeFormatter(_Weighing, SandboxedEscapeFormatter):
    pass


class _Namespace(Namespace):
    """As jinja's, but written without what is in it."""

    def __repr__(self) -> str:
        return "<Namespace>"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without access to anything, and without work that has no end."""

    code_generator_class = _Counting
    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(optimized=False, **options)
        self.globals.update(range=_range, namespace=_Namespace)
        self.filters["format"] = format_filter
        for name in NO_FILTERS:
            del self.filters[name]
        del self.globals["lipsum"]  # chance, and as much of it as one likes
        self.add_filters(self.filters)
        self.filters[_STEP] = _step

    def add_filters(self, filters: dict[str, Callable[..., Any]]) -> None:
        """Let templates have filters, within what a conversation needs."""
        self.filters.update({name: bounded_filter(name, make) for name, make in filters.items()})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Say whether a template may have an attribute, or a method, of something."""
        return attr not in _NO_METHODS and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return a sum, a product, a power, or a text with values put into it (or a remainder).

        Raises:
            jinja2.TemplateError: it would be larger than anything that the conversation needs.
        """
        if operator == "%" and isinstance(left, str):
            return self.made(percent(left, right))
        if operator in ("*", "**"):
            allowance().check(_size(operator, left, right), "a product")
        return self.made(super().call_binop(context, operator, left, right))

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Return what a macro, a function or a method of a text makes."""
        text = getattr(called, "__self__", None)
        if isinstance(text, str):
            args = checked(called.__name__, text, args, kwargs)
        for one in (*args, *kwargs.values()):
            allowance().weigh(one)  # a macro makes a list, and a table, of those that it does not name
        return self.made(super().call(context, called, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return what does the work of `text.format` and `text.format_map`; None: `value` is neither."""
        if super().wrap_str_format(value) is None:
            return None
        text, takes_a_table = value.__self__, value.__name__ == "format_map"
        kind: type[str] = type(text)
        formatter = (
            _EscapeFormatter(self, escape=text.escape) if isinstance(text, Markup) else _Formatter(self)
        )

        def formatted(*args: Any, **kwargs: Any) -> str:
            made = formatter.vformat(
                text, () if takes_a_table else args, args[0] if takes_a_table else kwargs
            )
            return kind(made)

        return formatted

    @staticmethod
    def made(value: Any) -> Any:
        """Return what an operation made.

        Raises:
            jinja2.TemplateError: it is larger than anything that the conversation needs.
        """
        return allowance().made(value)

    @staticmethod
    def written(value: Any) -> str:
        """Return a value as it is written.

        Raises:
            jinja2.TemplateError: it is larger than anything that the conversation needs.
        """
        given = allowance()
        if not isinstance(value, str):
            given.size_of(value)
            value = str(value)
        text: str = given.made(value)
        return text

    @staticmethod
    def weighed(value: Any) -> Any:
        """Return what is to be written.

        Raises:
            jinja2.TemplateError: it is larger than anything that the conversation needs.
        """
        if not isinstance(value, str):
            allowance().size_of(value)
        return value


def _size(operator: str, left: Any, right: Any) -> int:
    """Return about how many characters or items a product has; of numbers and their powers, bits."""
    if isinstance(left, int) and isinstance(right, int):
        return (
            left.bit_length() * max(right, 1) if operator == "**" else left.bit_length() + right.bit_length()
        )
    many, times = (right, left) if isinstance(left, int) else (left, right)
    is_repeated = isinstance(times, int) and isinstance(many, str | list | tuple)
    return len(many) * times if is_repeated else 0
