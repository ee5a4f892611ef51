"""All mistakes in the specs as text. Pure."""

from typing import TYPE_CHECKING

from reconciler.cli.text_layout import PLAIN, Paint
from reconciler.desired.mistakes import SpecMistakesError, render
from state.amounts import count

if TYPE_CHECKING:
    from reconciler.app.checking.validate import Validation


def validation_text(found: "Validation", paint: Paint = PLAIN, width: int = 80) -> str:
    """Return every mistake with its line and caret, then how many there are."""
    if not found.mistakes:
        return paint(f"{count(found.num_specs, 'spec')}, no mistakes", "good")
    summary = SpecMistakesError(found.mistakes, found.num_specs, found.num_unread).summary
    return f"{render(found.mistakes, width)}\n{paint(f'{summary} Nothing was changed.', 'bad')}"
