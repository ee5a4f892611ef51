"""What is in the data of the quests, as text. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import INDENT, PLAIN, Paint, safe
from state.amounts import count
from state.contract.inspection_words import finding_text, not_shown, rows_text, tokens_text

if TYPE_CHECKING:
    from reconciler.app.validate_data import DataValidation, QuestData


def data_text(found: "DataValidation", paint: Paint = PLAIN) -> str:
    """Return each quest with its rows, tokens and findings, then how many there are."""
    if not found.quests:
        return "No quest in the queue."
    sections = ["\n".join(_quest(one, paint)) for one in found.quests]
    notes = [paint(safe(note), "warn") for note in found.notes]
    return "\n\n".join([*sections, *notes, _summary(found, paint)])


def _quest(one: "QuestData", paint: Paint) -> Iterator[str]:
    for_whom = f" for {safe(one.campaign)}" if one.campaign else ""
    yield f"{paint(f'quest/{safe(one.quest)}', 'strong')}{for_whom}   {paint(safe(one.where), 'dim')}"
    if one.path is not None:
        yield f"{INDENT}{safe(one.path)}"
    seen = one.inspection
    if seen is not None:
        yield f"{INDENT}{safe(rows_text(seen))}"
    if seen is not None and seen.tokens is not None:
        yield f"{INDENT}{tokens_text(seen.tokens)}"
    if one.note is not None:
        yield f"{INDENT}{paint(safe(one.note), 'dim')}"
    for finding in one.all_findings:
        yield f"{INDENT}{paint(safe(finding_text(finding)), 'bad' if finding.is_error else 'change')}"
    for check, number in not_shown(seen) if seen is not None else ():
        yield f"{INDENT}{check}: {number:,} more"


def _summary(found: "DataValidation", paint: Paint) -> str:
    rows = sum(one.inspection.num_rows for one in found.quests if one.inspection)
    parts = [
        count(len({one.quest for one in found.quests}), "quest"),
        count(rows, "row"),
        count(found.num_errors, "error"),
        count(found.num_warnings, "warning"),
    ]
    return paint(f"{', '.join(parts)} at depth {found.depth}.", "bad" if found.num_errors else "good")
