"""Rows that are there twice, and rows that another file forbids: by content, wherever a row stands."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from state.contract.quest_rows import Row, row_digest
from state.contract.row_shapes import PLAIN_TEXT, Message
from state.contract.row_words import Objection, quoted

_MIN_ROWS, _MOST_ALIKE = 20, 0.9


class GuardRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that nothing should be learnt from, by what they say."""

    name: str
    rows: dict[str, int]
    """Digest of a row → its number in its file."""
    questions: dict[str, int]
    """What it asks → its number."""
    texts: tuple[tuple[int, str], ...]
    """Number and question of each row."""


def guard_rows(name: str, rows: Sequence[Row]) -> GuardRows:
    """Return a file of rows that are never to be learnt."""
    asked = [(row.index + 1, question(row.messages)) for row in rows]
    return GuardRows(
        name=name,
        rows=_first_places((row.index + 1, row_digest(row.messages)) for row in rows),
        questions=_first_places(asked),
        texts=tuple(asked),
    )


def question(messages: Sequence[Message]) -> str:
    """Return what a row asks, in small letters and with single spaces; of plain text all of it."""
    said = [message.content for message in messages if message.role in ("user", PLAIN_TEXT)]
    return " ".join(" ".join(said).casefold().split())


def duplicates(rows: Sequence[Row]) -> Iterator[tuple[int, Objection]]:
    """Yield the number of each row that is an earlier one again."""
    first: dict[str, int] = {}
    for row in rows:
        number = row.index + 1
        before = first.setdefault(row_digest(row.messages), number)
        if before != number:
            found, expected = f"the same as row {before}", "each row once"
            yield (
                number,
                Objection(found, expected, "Remove it, or raise epochs to train all rows more often."),
            )


def leaks(rows: Sequence[Row], guard: GuardRows) -> Iterator[tuple[int, Objection]]:
    """Yield the number of each row that stands in the guarded file, or asks what a row of it asks."""
    for row in rows:
        same = guard.rows.get(row_digest(row.messages))
        asked = guard.questions.get(question(row.messages))
        if same is not None:
            yield row.index + 1, leak(f"it is row {same} of {guard.name}")
        elif asked is not None:
            yield row.index + 1, leak(f"it asks the same as row {asked} of {guard.name}")


def leak(found: str) -> Objection:
    """Return the objection to a row that measures and would be learnt."""
    return Objection(found, "other rows than those that measure", "Remove it from one of the two files.")


def answers_alike(rows: Sequence[Row]) -> Objection | None:
    """Return that nearly all rows have one and the same answer, if they have."""
    answers = Counter(row.messages[-1].content for row in rows if row.messages[-1].role == "assistant")
    if not answers or answers.total() < _MIN_ROWS:
        return None
    answer, number = answers.most_common(1)[0]
    if number <= _MOST_ALIKE * answers.total():
        return None
    found = f"{number:,} of {len(rows):,} rows have the answer {quoted(answer)}"
    return Objection(found, "answers that differ", "Mix in other rows, if this is not meant.")


def _first_places(found: Iterable[tuple[int, str]]) -> dict[str, int]:
    places: dict[str, int] = {}
    for number, key in found:
        places.setdefault(key, number)
    return places
