"""All mistakes in the specs as text. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import INDENT, PLAIN, Paint, safe, theirs, wrapped
from reconciler.desired.mistakes import SpecMistakesError, render
from state.amounts import count

if TYPE_CHECKING:
    from reconciler.app.checking.refusals import Refusal
    from reconciler.app.checking.validate import Validation

_MOST_NAMES = 3


def validation_text(found: "Validation", paint: Paint = PLAIN, width: int = 80) -> str:
    """Return every mistake with its line and caret, then how many there are; else what no launch can do."""
    if not found.mistakes:
        lines = [line for one in found.refusals for line in _refusal(one, width)]
        told = f"{count(found.num_specs, 'spec')}, no mistakes"
        if not lines:
            return paint(told, "good")
        many = count(len(found.refusals), "line")
        return "\n".join([*lines, paint(f"{told}; {many} to look at", "warn")])
    summary = SpecMistakesError(found.mistakes, found.num_specs, found.num_unread).summary
    return f"{theirs(render(found.mistakes, width))}\n{paint(f'{summary} Nothing was changed.', 'bad')}"


def _refusal(one: "Refusal", width: int) -> Iterator[str]:
    """Yield the place, then what is wrong there and whom it keeps from being launched."""
    names, more = ", ".join(one.campaigns[:_MOST_NAMES]), len(one.campaigns) - _MOST_NAMES
    who = f"{names} and {more} more" if more > 0 else names
    yield safe(one.where)
    stops = f"{' ' if one.message.endswith('?') else '; '}{who} would not be launched" if who else ""
    said = f"{one.message}{stops}"
    yield from (f"{INDENT}{line}" for line in wrapped(safe(said), width - len(INDENT)))
