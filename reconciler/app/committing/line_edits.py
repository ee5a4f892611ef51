"""Edits of a spec's text, line by line: nothing is reformatted and no comment is lost. Pure.

Called by the verbs that commit. Each edit is checked: read again, the text must say what it said before, but
for the one value that was to change.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from reconciler.desired.places import KeyPath, key_text

_MARK = "\ufeff"
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MOST_BRACES = 4
"""Maps in maps on one line that a key is added to, or that are replaced."""
_BRACKETS = {"[": "]", "{": "}"}


class CannotEdit(Exception):
    """The text is written in a way that no line edit fits; the message says what to write by hand."""


def with_value(text: str, at: KeyPath, value: str) -> str:
    """Return the text with another value at a key path that is there; a comment beside it keeps its column.

    A list or a map goes whole where it is written in brackets on one line.

    Raises:
        CannotEdit: the value spans several lines.
    """

    def edit(nth: int, lines: list[str], places: Any) -> list[str]:
        span = places[key_text(at)].value
        line, start = lines[span.line - 1], span.column - 1
        ends = _ends(line, start, span.width)
        if nth >= len(ends):
            return lines
        before, after = line[:start], line[ends[nth] :]
        return [
            *lines[: span.line - 1],
            f"{before}{value}{_moved(after, ends[nth] - start, value)}",
            *lines[span.line :],
        ]

    return _checked(text, [partial(edit, nth) for nth in range(_MOST_BRACES)], at, value)


def _ends(line: str, start: int, width: int) -> list[int]:
    """Return where a value may end: a list or a map in brackets behind any that closes one."""
    closing = _BRACKETS.get(line[start : start + 1])
    if closing is None:
        return [start + width]
    return [at + 1 for at, char in enumerate(line) if char == closing and at > start]


def with_line(text: str, key: str, value: str, *, after: Sequence[str]) -> str:
    """Return the text with `key: value`: in place where the key is, else under the first fitting of `after`.

    A map or a list that is there goes with its lines; the new value comes where a new line would.

    Raises:
        CannotEdit: no line of its own can be added, as in `{id: x}`.
    """
    if key in _places(text):
        if not isinstance(_values(text.removeprefix(_MARK)).get(key), dict | list):
            return with_value(text, (key,), value)
        text = without_block(text, key)

    def under(anchor: str) -> Callable[[list[str], Any], list[str]]:
        def edit(lines: list[str], places: Any) -> list[str]:
            place = places[anchor]
            line, indent = lines[place.value.line - 1], " " * (place.key.column - 1)
            end = _end_of(line)
            head = [*lines[: place.value.line - 1], line.rstrip("\r\n") + end]
            return [*head, f"{indent}{key}: {value}{end}", *lines[place.value.line :]]

        return edit

    return _checked(text, [under(anchor) for anchor in after if anchor in _places(text)], (key,), value)


def with_key(text: str, at: KeyPath, value: str) -> str:
    """Return the text with a value at a key path: in place where it is, else in a line of its own.

    Keys on the way that are missing come with it, each in a line, under the last key of the map around them.

    Raises:
        CannotEdit: no line fits, as where the map around it is written in braces.
    """
    places = _places(text.removeprefix(_MARK))
    if key_text(at) in places:
        return with_value(text, at, value)
    depth = next(end for end in range(len(at) - 1, -1, -1) if end == 0 or key_text(at[:end]) in places)
    around, new = at[:depth], at[depth:]
    edits = [partial(_put_lines, around, new, value, at_end=end) for end in (True, False)]
    edits += [partial(_put_in_braces, nth, around, new, value) for nth in range(_MOST_BRACES)]
    return _checked(text, edits, at, value)


def _put_in_braces(
    nth: int, around: KeyPath, new: KeyPath, value: str, lines: list[str], places: Any
) -> list[str]:
    """Add keys to a map in braces, before the n-th closing one behind the last thing that is in it."""
    inside = _inside(places, around)
    if not inside:
        return lines
    last = max((place.value for place in inside), key=lambda span: (span.line, span.column + span.width))
    line = lines[last.line - 1]
    closing = [at for at, char in enumerate(line) if char == "}" and at >= last.column - 1 + last.width]
    if nth >= len(closing):
        return lines
    opened, end = "".join(f"{key}: {{" for key in new[:-1]), closing[nth]
    entry = f", {opened}{new[-1]}: {value}{'}' * (len(new) - 1)}"
    return [*lines[: last.line - 1], f"{line[:end]}{entry}{line[end:]}", *lines[last.line :]]


def _inside(places: Any, around: KeyPath) -> list[Any]:
    """Return where everything stands that a map holds, at any depth, and has a key."""
    return [place for text, place in places.items() if place.key and _is_in(text, key_text(around))]


def _put_lines(
    around: KeyPath, new: KeyPath, value: str, lines: list[str], places: Any, *, at_end: bool
) -> list[str]:
    """Add keys to a map, in lines of their own: after all that is in it, or before its first key."""
    inside = _inside(places, around)
    if not inside:
        return lines
    first = min(place.key.line for place in inside)
    indent = min(place.key.column for place in inside if place.key.line == first) - 1
    row = max(place.value.line for place in inside) if at_end else first - 1
    head = lines[:row]
    if head and not head[-1].endswith(("\n", "\r")):
        head[-1] += "\n"
    end = _end_of(lines[first - 1])
    keys = [f"{' ' * (indent + 2 * number)}{key}:" for number, key in enumerate(new)]
    return [*head, *(f"{key}{end}" for key in keys[:-1]), f"{keys[-1]} {value}{end}", *lines[row:]]


def _is_in(text: str, around: str) -> bool:
    return not around or text.startswith((f"{around}.", f"{around}["))


def _end_of(line: str) -> str:
    """Return how a line ends; a text of one line without an end gets the usual one."""
    return line[len(line.rstrip("\r\n")) :] or "\n"


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


def without_block(text: str, key: str) -> str:
    """Return the text without a top key and its value, however many lines that has, with their comments.

    Raises:
        CannotEdit: what is left would say something else than before.
    """

    def edit(lines: list[str], places: Any) -> list[str]:
        begin = places[key].key.line - 1
        end = begin + 1
        while end < len(lines) and lines[end][:1] in (" ", "-"):
            end += 1
        return [*lines[:begin], *lines[end:]]

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
    refusal = CannotEdit(
        f"is written in a way that no single line can change; write it by hand: {_by_hand(at, value)}"
    )
    try:
        wanted = _put(_values(body), at, value)
    except (TypeError, KeyError, IndexError):  # what stands there holds no keys
        raise refusal from None
    for edit in edits:
        edited = "".join(edit(_LINES.findall(body), _places(body)))
        if _values(edited) == wanted:
            return mark + edited
    raise refusal


def _by_hand(at: KeyPath, value: str | None) -> str:
    """Return what a person would write, and under what."""
    if value is None:
        return f"without `{key_text(at)}`"
    if isinstance(at[-1], int):
        return f"`{value}` as {key_text(at)}"
    line = f"the line `{at[-1]}: {value}`"
    return f"{line} under `{key_text(at[:-1])}`" if at[:-1] else line


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
    if not isinstance(values, dict | list):
        raise TypeError(values)
    changed: Any = dict(values) if isinstance(values, dict) else list(values)
    if rest:
        around = changed.get(step, {}) if isinstance(changed, dict) else changed[step]
        changed[step] = _put(around, rest, value)
    elif value is None:
        del changed[step]
    else:
        changed[step] = _read(value)
    return changed


def _read(value: str) -> Any:
    """Return what a value means where it is written, such as text in quotes."""
    return _values(f"value: {value}\n")["value"]
