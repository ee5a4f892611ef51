"""One event as one line: when, how it ended, what, and why. Pure."""

from typing import TYPE_CHECKING

from reconciler.cli.text_layout import GAP, PLAIN, Paint, safe

if TYPE_CHECKING:
    from reconciler.app.events import Event

_MARKS = {"done": ("✓", "good"), "failed": ("✗", "bad")}


def event_text(event: "Event", paint: Paint = PLAIN) -> str:
    """Return the event as a line for people; `--json` has all of it."""
    mark, meaning = _MARKS[event.result]
    when = event.at.removesuffix("Z").replace("T", " ")
    what = f"{_words(event.action)} {safe(event.subject)}"
    told = f": {safe(event.outcome)}" if event.outcome else ""
    return (
        f"{paint(when, 'dim')}{GAP}{paint(mark, meaning)} {what}{told}{GAP}{paint(safe(event.cause), 'dim')}"
    )


def _words(action: str) -> str:
    """Return `launch run` for LaunchRun."""
    return "".join(f" {char.lower()}" if char.isupper() else char for char in action).strip()
