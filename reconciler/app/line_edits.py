"""Edits of a spec's text, line by line: nothing is reformatted and no comment is lost. Pure.

Called by the verbs that commit. Each edit is checked: read again, the text must say what it said before, but
for the one value that was to change.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from reconciler.desired.places import KeyPath, key_text

_MARK = "\ufeff"
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ABSENT = object()


class CannotEdit(Exception):
    """The text is written in a way that no line edit fits; the message says what to write by hand."""


def with_value(text: str, at: KeyPath, value: str) -> str:
    """Return the text with another value at a key path that is there; a comment beside it keeps its column.

    Raises:
        CannotEdit: the value spans several lines.
    """

    def edit(lines: list[str], places: Any) -> list[str]:
        span = places[key_text(at)].value
        line, start = lines[span.line - 1], span.column - 1
        before, after = line[:start], line[start + span.width :]
        return [
            *lines[: span.line - 1],
            f"{before}{value}{_moved(after, span.width, value)}",
            *lines[span.line :],
        ]

    return _checked(text, [edit], at, value)


def with_line(text: str, key: str, value: str, *, after: Sequence[str]) -> str:
    """Return the text with `key: value`: in place where the key is, else under the first fitting of `after`.

    Raises:
        CannotEdit: no line of its own can be added, as in `{id: x}`.
    """
    if key in _places(text):
        return with_value(text, (key,), value)

    def under(anchor: str) -> Callable[[list[str], Any], list[str]]:
        def edit(lines: list[str], places: Any) -> list[str]:
            place = places[anchor]
            line, indent = lines[place.value.line - 1], " " * (place.key.column - 1)
            end = line[len(line.rstrip("\r\n")) :] or "\n"
            head = [*lines[: place.value.line - 1], line.rstrip("\r\n") + end]
            return [*head, f"{indent}{key}: {value}{end}", *lines[place.value.line :]]

        return edit

    return _checked(text, [under(anchor) for anchor in after if anchor in _places(text)], (key,), value)


def without_line(text: str, key: str) -> str:
    """Return the text without a top key and its value; a comment beside them stays, on a line of its own.

    Raises:
        CannotEdit: something else stands in the same line, or the value spans several.
    """

    def edit(lines: list[str], places: Any) -> list[str]:
        place = places[key]
        line = lines[place.value.line - 1]
        rest = line[place.value.column - 1 + place.value.width :].lstrip(" ")
        kept = [" " * (place.key.column - 1) + rest] if rest.startswith("#") else []
        return [*lines[: place.key.line - 1], *kept, *lines[place.value.line :]]

    return _checked(text, [edit], (key,), None)


def _moved(after: str, old_width: int, value: str) -> str:
    """Return what follows a value, with the comment where it was before, if there is room."""
    comment = after.lstrip(" ")
    if not comment.startswith("#"):
        return after
    spaces = len(after) - len(comment) + old_width - len(value)
    return " " * max(1, spaces) + comment


def _checked(
    text: str, edits: Sequence[Callable[[list[str], Any], list[str]]], at: KeyPath, value: str | None
) -> str:
    """Return what the first edit makes of the text that then says just this and nothing else anew."""
    mark, body = (_MARK, text[1:]) if text.startswith(_MARK) else ("", text)
    wanted = _put(_values(body), at, value)
    for edit in edits:
        edited = "".join(edit(_LINES.findall(body), _places(body)))
        if _values(edited) == wanted:
            return mark + edited
    said = f"the line `{key_text(at)}: {value}`" if value is not None else f"without `{key_text(at)}`"
    raise CannotEdit(f"is written in a way that no single line can change; write it by hand: {said}")


def _values(text: str) -> dict[str, Any]:
    from reconciler.desired.yaml_nodes import parse  # ruamel: 45 ms, only here

    document = parse(text.encode())
    return {"": [finding.message for finding in document.findings], **document.values}


def _places(text: str) -> dict[str, Any]:
    from reconciler.desired.yaml_nodes import parse

    return parse(text.encode()).places


def _put(values: Any, at: KeyPath, value: str | None) -> Any:
    """Return the values with this one at a key path; None takes it out."""
    step, rest = at[0], at[1:]
    changed: Any = dict(values) if isinstance(values, dict) else list(values)
    if rest:
        changed[step] = _put(values[step], rest, value)
    elif value is None:
        del changed[step]
    else:
        changed[step] = _read(value)
    return changed


def _read(value: str) -> Any:
    """Return what a value means where it is written, such as text in quotes."""
    return _values(f"value: {value}\n")["value"]
