"""What is in the data of the quests, as text. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import INDENT, PLAIN, Paint, safe, wrapped
from state.amounts import count
from state.contract.inspection_words import finding_text, not_shown, rows_text, tokens_text

if TYPE_CHECKING:
    from reconciler.app.validate_data import DataValidation, QuestData


def data_text(found: "DataValidation", width: int = 80, paint: Paint = PLAIN) -> str:
    """Return each quest with its rows, tokens and findings, then how many there are."""
    if not found.quests:
        return "No quest in the queue."
    sections = ["\n".join(_quest(one, width, paint)) for one in found.quests]
    notes = ["\n".join(_folded(note, width, paint, "warn", indent="")) for note in found.notes]
    return "\n\n".join([*sections, *notes, _summary(found, paint)])


def _quest(one: "QuestData", width: int, paint: Paint) -> Iterator[str]:
    for_whom = f" for {safe(one.campaign)}" if one.campaign else ""
    yield f"{paint(f'quest/{safe(one.quest)}', 'strong')}{for_whom}   {paint(safe(one.where), 'dim')}"
    if one.path is not None:
        yield f"{INDENT}{safe(one.path)}"
    seen = one.inspection
    if seen is not None:
        yield from _folded(rows_text(seen), width, paint)
    if seen is not None and seen.tokens is not None:
        yield from _folded(tokens_text(seen.tokens), width, paint)
    if one.note is not None:
        yield from _folded(one.note, width, paint, "dim")
    for finding in one.all_findings:
        yield from _folded(finding_text(finding), width, paint, "bad" if finding.is_error else "change")
    for check, number in not_shown(seen) if seen is not None else ():
        yield f"{INDENT}{check}: {number:,} more"


def _folded(text: str, width: int, paint: Paint, meaning: str = "", indent: str = INDENT) -> Iterator[str]:
    """Yield a text in lines of at most a width, the later ones further in."""
    first, *rest = wrapped(safe(text), width - len(indent) - len(INDENT))
    yield f"{indent}{paint(first, meaning)}"
    yield from (f"{indent}{INDENT}{paint(line, meaning)}" for line in rest)


def _summary(found: "DataValidation", paint: Paint) -> str:
    rows = sum(one.inspection.num_rows for one in found.quests if one.inspection)
    parts = [
        count(len({one.quest for one in found.quests}), "quest"),
        count(rows, "row"),
        count(found.num_errors, "error"),
        count(found.num_warnings, "warning"),
    ]
    return paint(f"{', '.join(parts)} at depth {found.depth}.", "bad" if found.num_errors else "good")
