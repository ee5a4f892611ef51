"""How large a text will be, told before it is made: filters of templates, and methods of texts.

Each `_..._size` takes what the filter or method of that name takes, and returns about how many characters it
makes. What makes no more than it is given is not here.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import wraps
from typing import Any

import jinja2

from trainer.data.template_allowance import allowance

NO_FILTERS = ("pprint", "random", "urlize", "xmlattr")
"""Chance; and what is for people and pages, and makes of a text how much cannot be told."""
_OF_ITEMS = frozenset(
    {
        "abs",
        "attr",
        "count",
        "d",
        "default",
        "dictsort",
        "first",
        "float",
        "groupby",
        "int",
        "items",
        "last",
        "length",
        "list",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "select",
        "selectattr",
        "sort",
        "unique",
    }
)
"""Filters that write nothing of what is in a list, which may be the same long text again and again."""
_MOST_DECIMALS = 308
"""That a number has."""
_WIDTH = re.compile(r"\d+")


def bounded_filter(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that refuses what is larger than the conversation needs, before it makes it."""
    size = _FILTERS.get(name, _no_size if name in _OF_ITEMS else _size_of_all)
    num_jinjas = int(hasattr(make, "jinja_pass_arg"))

    @wraps(make)  # with what tells jinja which of its own things it is given
    def made(*args: Any, **kwargs: Any) -> Any:
        own, values = args[:num_jinjas], args[num_jinjas:]
        if name == "join":
            values = _at_hand(values)
        allowance().check(size(*values, **kwargs))
        return allowance().made(make(*own, *values, **kwargs))

    return made


def checked(name: str, text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a method of a text is to be given, once it is known how much it makes.

    Raises:
        jinja2.TemplateError: that is more than the conversation needs.
    """
    if name not in _METHODS:
        return args
    args = _at_hand(args)
    allowance().check(_METHODS[name](text, *args, **kwargs))
    return args


def check_widths(text: str, values: Iterable[object] = ()) -> None:
    """Refuse a width that no text of a conversation has, of those in a text that values are put into.

    Raises:
        jinja2.TemplateError: one is larger; `values`: those that may be widths, too.
    """
    for width in [*map(int, _WIDTH.findall(text)), *values]:
        if isinstance(width, int):
            allowance().check(width, "a width")


def percent(text: str, values: Any) -> str:
    """Return `text % values`.

    Raises:
        jinja2.TemplateError: it is larger than what the conversation needs.
    """
    alone = values if isinstance(values, tuple) else (values,)
    check_widths(text, alone if "*" in text else ())
    given = allowance()
    given.check(len(text) + text.count("%") * given.size_of(*alone))
    return str(text % values)


def format_filter(text: str, *values: Any, **named: Any) -> str:
    """Return what jinja's `format` makes."""
    return percent(str(text), named or values)


def _at_hand(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return values, those as lists that can be gone through only once."""
    return tuple(list(one) if isinstance(one, Iterator) else one for one in values)


def _size_of_all(*values: object, **named: object) -> int:
    return allowance().size_of(*values, *named.values())


def _replace_size(text: object, old: object, new: object, count: int | None = None) -> int:
    size, old, new = _size_of_all(text), str(old), str(new)
    found = str(text).count(old)
    times = found if count is None or count < 0 else min(found, count)
    return size + times * max(0, len(new) - len(old))


def _join_size(items: object, d: object = "", attribute: object = None) -> int:
    del attribute  # of an item, which it is no larger than
    num_items = len(items) if isinstance(items, Collection) else 0
    return num_items * _size_of_all(d) + _size_of_all(items)


def _expandtabs_size(text: str, tabsize: int = 8) -> int:
    return len(text) + text.count("\t") * tabsize


def _width_size(text: object, width: int = 80, *_: object) -> int:
    allowance().check(width, "a width")
    return max(width, _size_of_all(text))


def _indent_size(text: object, width: int | str = 4, *_: object, **__: object) -> int:
    wide = len(width) if isinstance(width, str) else width
    allowance().check(wide, "a width")
    size = _size_of_all(text)
    return size + wide * (1 + len(str(text).splitlines()))


def _wordwrap_size(text: object, *rest: object, **named: object) -> int:
    return _size_of_all(text) * (1 + _size_of_all(rest, named))  # every character may be a line


def _tojson_size(value: object, indent: int | None = None) -> int:
    allowance().check(indent or 0, "a width")
    return allowance().size_of(value, indent=1 + (indent or 0))


def _no_size(*_: object, **__: object) -> int:
    return 0


def _batch_size(_: object, linecount: int, *__: object, **___: object) -> int:
    allowance().check(linecount, "a width")
    return linecount


def _slice_size(_: object, slices: int, *__: object, **___: object) -> int:
    allowance().check(slices, "a width")
    return slices


def _int_size(text: object, *_: object, **__: object) -> int:
    return 4 * len(text) if isinstance(text, str) else 0  # bits, if they are hexadecimal


def _sum_size(_: object, attribute: object = None, start: object = 0) -> int:
    del attribute
    if not isinstance(start, int | float):
        raise jinja2.TemplateError("it sums up what are no numbers")
    return 0


def _round_size(_: object, precision: int = 0, *__: object) -> int:
    if abs(precision) > _MOST_DECIMALS:
        raise jinja2.TemplateError(f"it rounds to more than {_MOST_DECIMALS} decimals")
    return 0


_FILTERS: dict[str, Callable[..., int]] = {
    "batch": _batch_size,
    "center": _width_size,
    "format": _no_size,  # `percent` tells
    "indent": _indent_size,
    "int": _int_size,
    "join": _join_size,
    "replace": _replace_size,
    "round": _round_size,
    "slice": _slice_size,
    "sum": _sum_size,
    "tojson": _tojson_size,
    "wordwrap": _wordwrap_size,
}
_METHODS: dict[str, Callable[..., int]] = {
    "center": _width_size,
    "expandtabs": _expandtabs_size,
    "join": lambda text, items: _join_size(items, text),
    "ljust": _width_size,
    "replace": _replace_size,
    "rjust": _width_size,
    "zfill": _width_size,
}
