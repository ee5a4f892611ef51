"""Rows that are there twice, and rows that another file forbids: by content, wherever a row stands."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import msgspec

from state.contract.quest_rows import Row, row_digest
from state.contract.row_shapes import PLAIN_TEXT, Message
from state.contract.row_words import Objection, quoted
from trainer.inspection.plain import plain

_MIN_ROWS, _MOST_ALIKE = 20, 0.9
_OTHER_ROWS = "other rows than those that measure"
_FROM_ONE = "Remove it from one of the two files."
MIN_ASKED = 20
"""Characters of a turn that asks something of its own; shorter ones (hello, go on) stand everywhere."""


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
    turns: dict[str, int]
    """What a single turn asks that is a whole question → its number: it is one in any conversation, too."""
    pairs: dict[tuple[str, str], int]
    """Each turn of each row with its answer → its number."""


def guard_rows(name: str, rows: Sequence[Row], key: str = "") -> GuardRows:
    """Return rows that are never to be learnt."""
    asked = tuple((row.index + 1, question(row.messages)) for row in rows)
    said = [(row.index + 1, tuple(turns(row.messages))) for row in rows]
    alone = ((number, pairs[0][0]) for number, pairs in said if len(pairs) == 1)
    return GuardRows(
        name=name,
        key=key,
        rows=_first_places((row.index + 1, row_digest(row.messages)) for row in rows),
        questions=_first_places(asked),
        texts=asked,
        turns=_first_places((number, text) for number, text in alone if len(text) >= MIN_ASKED),
        pairs=_first_places((number, pair) for number, pairs in said for pair in pairs),
    )


def guard_questions(name: str, questions: Sequence[str], key: str = "") -> GuardRows:
    """Return questions that are never to be learnt, whatever the answer."""
    asked = tuple((number, plain(text)) for number, text in enumerate(questions, start=1))
    places = _first_places(asked)
    return GuardRows(name=name, key=key, rows={}, questions=places, texts=asked, turns=places, pairs={})


def question(messages: Sequence[Message]) -> str:
    """Return what a row asks, however it is written; of plain text all of it."""
    said = [message.content for message in messages if message.role in ("user", PLAIN_TEXT)]
    return plain(" ".join(said))


def turns(messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    """Yield each question that is answered in a conversation, with its answer, however they are written."""
    for before, message in pairwise(messages):
        if (before.role, message.role) == ("user", "assistant"):
            yield plain(before.content), plain(message.content)


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
        asked = _Asked(row_digest(row.messages), question(row.messages), tuple(turns(row.messages)))
        met = (found for guard in guards if (found := _met(guard, asked, allowed)) is not None)
        first = min(met, key=lambda found: not found[1], default=None)
        if first is not None:
            yield Leak(row.index + 1, *first)


class _Asked(NamedTuple):
    digest: str
    question: str
    turns: tuple[tuple[str, str], ...]


def _met(guard: GuardRows, asked: _Asked, allowed: Collection[str]) -> tuple[Objection, bool] | None:
    same = guard.rows.get(asked.digest)
    if same is not None:
        return leak(f"it is row {same} of {guard.name}"), False
    found = _same_question(guard, asked)
    if found is None:
        return None
    told, is_sure = found
    if guard.key in allowed:
        advice = (
            f"The specs allow it (allow_leakage: {guard.key}): what is measured there is learnt by heart."
        )
        return Objection(told, _OTHER_ROWS, advice), False
    advice = f"Remove it from one of the two, or allow it by name: allow_leakage: {{{guard.key}: <why>}}."
    return Objection(told, _OTHER_ROWS, advice if guard.key else _FROM_ONE), is_sure


def _same_question(guard: GuardRows, asked: _Asked) -> tuple[str, bool] | None:
    """Return which guarded question a row asks, as a whole or in a turn, and whether it is that for sure."""
    like = guard.questions.get(asked.question)
    if like is not None:
        return f"it asks the same as row {like} of {guard.name}", True
    unsure = None
    for number, (text, answer) in enumerate(asked.turns, start=1):
        if (like := guard.turns.get(text)) is not None:
            return f"question {number} of it is that of row {like} of {guard.name}", True
        if (like := guard.pairs.get((text, answer))) is not None:
            found = f"question {number} of it and its answer stand in row {like} of {guard.name}"
            if len(text) >= MIN_ASKED:
                return found, True
            unsure = unsure or (found, False)
    return unsure


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


_Key = TypeVar("_Key", str, tuple[str, str])


def _first_places(found: Iterable[tuple[int, _Key]]) -> dict[_Key, int]:
    places: dict[_Key, int] = {}
    for number, key in found:
        places.setdefault(key, number)
    return places
