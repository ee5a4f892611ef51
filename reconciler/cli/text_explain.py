"""An explanation as text: the thing, what would be done, what is in its way, where its settings come from."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.cli.text_layout import GAP, INDENT, PLAIN, Paint, columns, padded, safe, theirs, wrapped
from reconciler.cli.text_plan import Layout, line_of

if TYPE_CHECKING:
    from reconciler.app.explaining.explain import Explanation
    from reconciler.app.explaining.item_facts import Fact
    from reconciler.app.explaining.origins import Origin
    from reconciler.plan.changes import Blocked

_WIDEST_CELL = 48


def explanation_text(found: "Explanation", width: int, paint: Paint = PLAIN) -> str:
    """Return everything about a thing for people."""
    parts = [_title(safe(found.thing), safe(found.where or "no spec"), width, paint)]
    if found.facts:
        parts[0] += "\n" + _facts(found.facts, width, paint)
    if found.changes:
        lines = [line_of(change) for change in found.changes]
        layout = Layout(lines, width)
        rows = "\n".join(layout.render(line, paint) for line in lines)
        parts.append(f"{paint('Apply would:', 'strong')}\n{rows}")
    if found.blocked:
        rows = "\n".join(_blocked(item, width, paint) for item in found.blocked)
        parts.append(f"{paint('In the way:', 'strong')}\n{rows}")
    if not found.changes and not found.blocked:
        parts.append("\n".join(wrapped("Nothing is to be done about it, and nothing is in its way.", width)))
    return "\n\n".join(parts)


def _title(thing: str, where: str, width: int, paint: Paint) -> str:
    gap = "   " if columns(f"{thing}   {where}") <= width else f"\n{INDENT}"
    return f"{paint(thing, 'strong')}{gap}{paint(where, 'dim')}"


def _facts(facts: Sequence["Fact"], width: int, paint: Paint) -> str:
    column = max(columns(fact.name) for fact in facts) + 2
    lines = []
    for fact in facts:
        first, *rest = wrapped(safe(fact.text), max(20, width - column - len(INDENT)))
        lines.append(f"{INDENT}{paint(padded(safe(fact.name), column), 'dim')}{first}")
        lines += [f"{INDENT}{' ' * column}{piece}" for piece in rest]
    return "\n".join(lines)


def _blocked(item: "Blocked", width: int, paint: Paint) -> str:
    message = wrapped(safe(f"{item.subject}: {theirs(item.message)}"), width - len(INDENT) - 2)
    mark = paint("…", "warn") if item.is_waiting else paint("!", "bad")
    lines = [f"{INDENT}{mark} {message[0]}", *(f"{INDENT}  {piece}" for piece in message[1:])]
    cause = wrapped(safe(f"{item.code}, {theirs(item.cause)}"), width - len(INDENT) - 2)
    lines += [f"{INDENT}  {paint(piece, 'dim')}" for piece in cause]
    hint = wrapped(safe(item.hint), width - len(INDENT) - 6)
    lines += [f"{INDENT}  {'→ ' if place == 0 else '  '}{piece}" for place, piece in enumerate(hint)]
    return "\n".join(lines)


def origins_text(settings: Sequence["Origin"], width: int | None, paint: Paint = PLAIN) -> str:
    """Return each setting with its value, the line that gave it, and the values that it hides.

    Columns are as wide as the ordinary rows need; what a row has no room for comes on lines below it. Without
    a width each setting takes one line.
    """
    rows = [(safe(one.key), _shown(one.value), safe(one.origin), _hidden(one)) for one in settings]
    widths = [_ordinary(columns(row[place]) for row in rows) for place in range(3)]
    return "\n".join(line for row in rows for line in _origin(row, widths, width, paint))


def _ordinary(widths: Iterable[int]) -> int:
    """Return the largest width that is at most `_WIDEST_CELL`."""
    return max((width for width in widths if width <= _WIDEST_CELL), default=0)


def _origin(row: Sequence[str], widths: Sequence[int], width: int | None, paint: Paint) -> list[str]:
    key, value, origin, hidden = row
    setting = f"{padded(key, widths[0])}{GAP}{padded(value, widths[1])}"
    end = f"{GAP}{paint(hidden, 'dim')}" if hidden else ""
    line = f"{setting}{GAP}{padded(origin, widths[2])}" if hidden else f"{setting}{GAP}{origin}"
    if width is None or columns(line) + columns(f"{GAP}{hidden}" if hidden else "") <= width:
        return [f"{line}{end}"]
    below = f"{INDENT}{INDENT}{origin}"
    if columns(f"{below}{GAP}{hidden}") <= width:
        return [setting.rstrip(), f"{below}{end}"]
    return [setting.rstrip(), below, *([f"{INDENT}{INDENT}{paint(hidden, 'dim')}"] if hidden else [])]


def _hidden(one: "Origin") -> str:
    said = [f"{safe(hidden.layer)} says {_shown(hidden.value)}" for hidden in one.shadowed]
    if one.reported_by is not None:
        said.append(f"trainer {safe(one.reported_by)} reports {_shown(one.reported)}")
    return f"({', '.join(said)})" if said else ""


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return safe(value)
