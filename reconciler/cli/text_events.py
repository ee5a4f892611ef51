"""One event as text: when, how it ended, what came of it, and why. Pure."""

from typing import TYPE_CHECKING

from reconciler.cli.text_layout import GAP, PLAIN, Paint, columns, folded, safe, theirs

if TYPE_CHECKING:
    from reconciler.app.looking.events import Event

_MARKS = {"done": ("✓", "good"), "failed": ("✗", "bad")}


def event_text(event: "Event", width: int | None = None, paint: Paint = PLAIN) -> str:
    """Return the event in the words of the plan, folded to a width; without one in a single line."""
    mark, meaning = _MARKS[event.result]
    when = event.at.removesuffix("Z").replace("T", " ")
    told = f": {safe(event.outcome)}" if event.outcome else ""
    what, why = f"{safe(event.verb)} {safe(event.thing)}{told}", theirs(safe(event.cause))
    lead = columns(f"{when}{GAP}{mark} ")
    begun = f"{paint(when, 'dim')}{GAP}{paint(mark, meaning)} "
    if width is None or lead + columns(f"{what}{GAP}{why}") <= width:
        return f"{begun}{what}{GAP}{paint(why, 'dim')}"
    under, room = " " * lead, max(20, width - lead)
    first, *rest = [*folded(what, room), *(paint(line, "dim") for line in folded(why, room))]
    return "\n".join([f"{begun}{first}", *(f"{under}{line}" for line in rest)])
