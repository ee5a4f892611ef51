"""What is in the data of the quests, as text. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import INDENT, PLAIN, Paint, safe, wrapped
from state.amounts import count
from state.contract.contents import MOST_FINDINGS
from state.contract.inspection_words import finding_text, not_shown, rows_text, tokens_text

if TYPE_CHECKING:
    from reconciler.app.checking.validate_data import DataValidation, QuestData
    from state.contract.inspection import DataFinding, Depth

_LOOKED_FOR: "Mapping[Depth, str]" = {
    "quick": "rows alone; their tokens: --depth standard",
    "standard": "rows and tokens; near duplicates: --depth deep",
    "deep": "rows, tokens and near duplicates",
}


def data_text(found: "DataValidation", width: int = 80, paint: Paint = PLAIN) -> str:
    """Return each quest with its rows, tokens and findings, then how many there are."""
    if not found.quests and not found.problems:
        return "No quest in the queue."
    sections = ["\n".join(_quest(one, width, paint)) for one in found.quests]
    sections += [
        "\n".join(_folded(f"error: {one}", width, paint, "bad", indent="")) for one in found.problems
    ]
    notes = ["\n".join(_folded(note, width, paint, "warn", indent="")) for note in found.notes]
    return "\n\n".join([*sections, *notes, _summary(found, width, paint)])


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
    yield from _findings(one, width, paint)


def _findings(one: "QuestData", width: int, paint: Paint) -> Iterator[str]:
    """Yield the findings; of those that say the same of several rows the first, with those."""
    more = dict(not_shown(one.inspection)) if one.inspection is not None else {}
    for alike in _alike(one.all_findings):
        first, *others = alike
        yield from _folded(finding_text(first), width, paint, "bad" if first.is_error else "change")
        rows = [f"{finding.row:,}" for finding in others if finding.row is not None]
        number = 0 if _is_told_apart(first) else more.pop(first.check, 0)
        if rows or number:
            yield from _folded(_also(rows, number), width, paint, "change", indent=2 * INDENT)
    for check, number in more.items():
        yield f"{INDENT}{check}: {number:,} more"


def _alike(findings: Sequence["DataFinding"]) -> Iterable[list["DataFinding"]]:
    """Return the findings, those together that say the same of several rows.

    Warnings may differ in what was found: another row, another sign.
    """
    groups: dict[object, list[DataFinding]] = {}
    for place, finding in enumerate(findings):
        found = finding.found if _is_told_apart(finding) else None
        said = (finding.check, found, finding.expected, finding.advice)
        groups.setdefault(place if finding.row is None else said, []).append(finding)
    return groups.values()


def _is_told_apart(finding: "DataFinding") -> bool:
    """Is it mended by itself, so that what was found has to be told of each?"""
    return finding.is_error or finding.check == "left_out"


def _also(rows: Sequence[str], number: int) -> str:
    """Return `also rows 12, 15 and 793 more`."""
    named = [f"row{'' if len(rows) == 1 else 's'} {', '.join(rows)}"] if rows else []
    return f"also {' and '.join([*named, *([f'{number:,} more'] if number else [])])}"


def _folded(text: str, width: int, paint: Paint, meaning: str = "", indent: str = INDENT) -> Iterator[str]:
    """Yield a text in lines of at most a width, the later ones further in."""
    first, *rest = wrapped(safe(text), width - len(indent) - len(INDENT))
    yield f"{indent}{paint(first, meaning)}"
    yield from (f"{indent}{INDENT}{paint(line, meaning)}" for line in rest)


def _summary(found: "DataValidation", width: int, paint: Paint) -> str:
    rows = sum(one.inspection.num_rows for one in found.quests if one.inspection)
    parts = [
        count(len({one.quest for one in found.quests}), "quest"),
        count(rows, "row"),
        count(found.num_errors, "error"),
        count(found.num_warnings, "warning"),
    ]
    told = f"{', '.join(parts)} at depth {found.depth}: {_LOOKED_FOR[found.depth]}"
    meaning = "bad" if found.num_errors else "good"
    return "\n".join(paint(line, meaning) for line in wrapped(told, width))


def how_to_see_all(found: "DataValidation") -> str | None:
    """Return with which option every finding is named; None where each is."""
    seen = [one.inspection for one in found.quests if one.inspection is not None]
    cut = {number for one in seen for check, _ in not_shown(one) if (number := one.counts[check])}
    number = min(max(cut, default=0), MOST_FINDINGS)
    return f"Every finding:  reconcile validate --data --findings {number}" if cut else None
