"""How many of a quest's rows a job has learnt: those of its content without the ones that were held out."""

import msgspec

from reconciler.app.planning.look import View
from reconciler.app.proof.contents import Contents, NoContent
from reconciler.app.proof.drawing import Drawing, Drawings
from reconciler.app.proof.shapes import shape_of
from state.amounts import count
from state.ids import RunKey
from state.store.rows import JobRow

MOST_COUNTED = 50_000
"""Rows of a content that are read and counted again to be told; of more `prove` does that."""


def rows_learnt(view: View, job: JobRow) -> str:
    """Return `393 of 400 rows (7 held out)`; where that cannot be counted here, that some are less."""
    every = count(job.num_examples, "row")
    drawing = _drawing(view, job)
    if drawing is None or job.num_examples > MOST_COUNTED:
        return f"{every} less those held out"
    try:
        content = Contents(view.layout).of(job.digest, shape_of(job))
    except NoContent:
        return f"{every} less those held out"
    num_learnt = len(content.training(drawing))
    num_held_out = len(content.rows) - num_learnt
    all_rows = count(len(content.rows), "row")
    return f"{num_learnt:,} of {all_rows} ({num_held_out:,} held out)" if num_held_out else all_rows


def _drawing(view: View, job: JobRow) -> Drawing | None:
    """Return how the run that trained its last row drew; None: that is not known any more."""
    ledger = view.facts.ledger_of(job.campaign_uid)
    at_end = (one for one in reversed(ledger) if one.step == job.final_step and one.is_living)
    last = next(at_end, None)
    if last is None:
        return None
    try:
        found = Drawings(view).of(RunKey(job.campaign_uid, last.generation, last.attempt))
    except msgspec.ValidationError:  # its config is of a version that said things otherwise
        return None
    return found if isinstance(found, Drawing) else None
