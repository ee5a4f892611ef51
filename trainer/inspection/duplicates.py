"""Rows that are there twice, and rows that another file forbids: by content, wherever a row stands."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from state.contract.quest_rows import Row, row_digest
from state.contract.row_shapes import PLAIN_TEXT, Message
from state.contract.row_words import Objection, quoted

_MIN_ROWS, _MOST_ALIKE = 20, 0.9
_OTHER_ROWS = "other rows than those that measure"
_FROM_ONE = "Remove it from one of the two files."


class GuardRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that nothing should be learnt from, by what they say."""

    name: str
    key: str
    """What the specs call them."""
    rows: dict[str, int]
    """Digest of a row → its number in its file."""
    questions: dict[str, int]
    """What it asks → its number."""
    texts: tuple[tuple[int, str], ...]
    """Number and question of each row."""


def guard_rows(name: str, rows: Sequence[Row], key: str = "") -> GuardRows:
    """Return rows that are never to be learnt."""
    asked = tuple((row.index + 1, question(row.messages)) for row in rows)
    return GuardRows(
        name=name,
        key=key,
        rows=_first_places((row.index + 1, row_digest(row.messages)) for row in rows),
        questions=_first_places(asked),
        texts=asked,
    )


def guard_questions(name: str, questions: Sequence[str], key: str = "") -> GuardRows:
    """Return questions that are never to be learnt, whatever the answer."""
    asked = tuple((number, _plain(text)) for number, text in enumerate(questions, start=1))
    return GuardRows(name=name, key=key, rows={}, questions=_first_places(asked), texts=asked)


def question(messages: Sequence[Message]) -> str:
    """Return what a row asks, in small letters and with single spaces; of plain text all of it."""
    said = [message.content for message in messages if message.role in ("user", PLAIN_TEXT)]
    return _plain(" ".join(said))


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


class Leak(NamedTuple):
    """A row that measures and would be learnt."""

    number: int
    objection: Objection
    is_error: bool
    """Is it refused? A row of the held-out file itself is never learnt, and what the specs allow is told."""


def leaks(rows: Sequence[Row], guards: Sequence[GuardRows], allowed: Collection[str] = ()) -> Iterator[Leak]:
    """Yield each row that stands among guarded ones, or asks what one of them asks."""
    for row in rows if guards else ():
        digest, asked = row_digest(row.messages), question(row.messages)
        met = (found for guard in guards if (found := _met(guard, digest, asked, allowed)) is not None)
        first = min(met, key=lambda found: not found[1], default=None)
        if first is not None:
            yield Leak(row.index + 1, *first)


def _met(
    guard: GuardRows, digest: str, asked: str, allowed: Collection[str]
) -> tuple[Objection, bool] | None:
    same, like = guard.rows.get(digest), guard.questions.get(asked)
    if same is not None:
        return leak(f"it is row {same} of {guard.name}"), False
    if like is None:
        return None
    found = f"it asks the same as row {like} of {guard.name}"
    if guard.key in allowed:
        advice = (
            f"The specs allow it (allow_leakage: {guard.key}): what is measured there is learnt by heart."
        )
        return Objection(found, _OTHER_ROWS, advice), False
    advice = f"Remove it from one of the two, or allow it by name: allow_leakage: {{{guard.key}: <why>}}."
    return Objection(found, _OTHER_ROWS, advice if guard.key else _FROM_ONE), True


def leak(found: str) -> Objection:
    """Return the objection to a row that measures and would be learnt."""
    return Objection(found, _OTHER_ROWS, _FROM_ONE)


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


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _first_places(found: Iterable[tuple[int, str]]) -> dict[str, int]:
    places: dict[str, int] = {}
    for number, key in found:
        places.setdefault(key, number)
    return places
