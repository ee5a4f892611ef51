"""Counting rows against a count made row by row; and what a changed seed or split does to an epoch."""

import hashlib
from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.app.proof.chain import Link
from reconciler.app.proof.contents import Content
from reconciler.app.proof.counting import OtherSplit, count_rows
from reconciler.app.proof.drawing import Drawing, NotDrawn
from reconciler.app.proof.lessons import Lesson
from state.contract.manifest import LearntRange, Manifest, Measures
from state.contract.quest_rows import is_held_out
from state.contract.request import CodeVersion
from state.contract.row_order import EpochOrder
from state.ids import RunKey

DIGEST = "sha256:" + "1" * 64
MANIFEST = Manifest(
    campaign_uid="c", campaign="tiny/campaign-001", segment=1, step=9, parent_step=None, parent_digest=None,
    created_at="2026-01-31T12:00:00Z", generation=1, attempt=1, config_hash="sha256:0",
    code_version=CodeVersion(source="git", commit="a" * 40), specs_commit="b" * 40, optimizer="adamw", healthy=True,
    quest_id="q", cursor=(), learnt=(), files=(), digest="blake3:0",
    measures=Measures(train_loss=None, val_loss=None, learning_rate=None, examples_seen=0, tokens_seen=0),
)  # fmt: skip


def content_of(num_rows: int) -> Content:
    names = (hashlib.sha256(str(number).encode()).hexdigest() for number in range(num_rows))
    return Content(digest=DIGEST, rows=tuple(names))


def drawing(*, seed: int = 0, held_out: float = 0.0, never: frozenset[str] = frozenset()) -> Drawing:
    return Drawing(seed=seed, held_out_fraction=held_out, never=never, rows_per_update=2)


def lesson(epoch: int, start: int, stop: int, **drawn: Any) -> Lesson:
    return Lesson(
        link=Link(manifest=MANIFEST, path=None, which="9", campaign="tiny/campaign-001"),
        learnt=LearntRange(quest_id="q", digest=DIGEST, epoch=epoch, start=start, stop=stop),
        drawn=drawing(**drawn),
        run=RunKey("c", 1, 1),
        first_update=1,
        rows_before=0,
    )


def row_by_row(lessons: list[Lesson], content: Content) -> Counter[tuple[int, int]]:
    """Return (epoch, row) → times, from the definition."""
    found: Counter[tuple[int, int]] = Counter()
    for one in lessons:
        kept = [
            i for i, row in enumerate(content.rows) if not is_held_out(row, one.drawing.held_out_fraction)
        ]
        order = EpochOrder(
            seed=one.drawing.seed, quest_digest=DIGEST, epoch=one.learnt.epoch, num_rows=len(kept)
        )
        for position in range(one.learnt.start, one.learnt.stop):
            found[one.learnt.epoch, kept[order.row_at(position)]] += 1
    return found


@st.composite
def any_lessons(draw: st.DrawFn) -> tuple[list[Lesson], Content]:
    content = content_of(draw(st.integers(3, 40)))
    held_out = draw(st.sampled_from([0.0, 0.2]))
    num_rows = len(content.training(drawing(held_out=held_out)))
    found = []
    for epoch in range(draw(st.integers(1, 3))):
        for _ in range(draw(st.integers(1, 4))):
            start = draw(st.integers(0, num_rows))
            stop = draw(st.integers(start, num_rows))
            found.append(lesson(epoch, start, stop, seed=draw(st.integers(0, 1)), held_out=held_out))
    return found, content


@given(made=any_lessons())
def test_rows_are_counted_as_one_by_one(made: tuple[list[Lesson], Content]) -> None:
    lessons, content = made
    counted, singly = count_rows(lessons, content), row_by_row(lessons, content)
    times: Counter[int] = Counter()
    for (_, row), number in singly.items():
        times[row] += number
    assert counted.times == times
    assert counted.num_repeated == sum(number - 1 for number in singly.values())
    last = max(one.learnt.epoch for one in lessons)
    over = [(epoch, row) for epoch in range(last) for row in content.training(lessons[0].drawing)]
    assert counted.num_skipped >= sum(one not in singly for one in over)


@given(
    num_rows=st.integers(1, 60),
    cuts=st.lists(st.integers(1, 59), max_size=5),
    held_out=st.sampled_from([0.0, 0.3]),
)
def test_an_epoch_in_any_number_of_parts_is_learnt_once(
    num_rows: int, cuts: list[int], held_out: float
) -> None:
    content = content_of(num_rows)
    training = content.training(drawing(held_out=held_out))
    bounds = sorted({0, len(training), *(cut for cut in cuts if cut < len(training))})
    parts = [lesson(0, a, b, held_out=held_out) for a, b in pairwise(bounds)]
    if not parts:
        return
    counted = count_rows(parts, content)
    assert counted.times == Counter(training)
    assert (counted.num_repeated, counted.num_skipped) == (0, 0)


def test_an_epoch_that_goes_on_with_another_seed_repeats_and_skips_rows() -> None:
    content = content_of(40)
    counted = count_rows([lesson(0, 0, 20), lesson(0, 20, 40, seed=1), lesson(1, 0, 1)], content)
    assert counted.num_repeated == counted.num_skipped > 0


def test_an_epoch_that_was_never_begun_before_the_next_is_skipped_whole() -> None:
    assert count_rows([lesson(1, 0, 10)], content_of(10)).num_skipped == 10


def test_a_row_within_the_begun_epoch_that_was_passed_over_is_skipped() -> None:
    counted = count_rows([lesson(0, 0, 4), lesson(0, 5, 8)], content_of(10))
    assert (counted.num_repeated, counted.num_skipped) == (0, 1)


def test_more_rows_than_the_split_leaves_are_refused_with_both_numbers() -> None:
    with pytest.raises(
        OtherSplit, match=f"has learnt 11 rows of an epoch of {DIGEST}, which has 10 that are"
    ):
        count_rows([lesson(0, 0, 11)], content_of(10))


def test_rows_of_the_held_out_file_are_in_no_order() -> None:
    content = content_of(10)
    never = frozenset(content.rows[3:6])
    counted = count_rows([lesson(0, 0, 7, never=never)], content)
    assert counted.times == Counter([0, 1, 2, 6, 7, 8, 9])
    assert (counted.num_repeated, counted.num_skipped) == (0, 0)


def test_rows_whose_order_is_not_known_are_not_counted() -> None:
    unknown = msgspec.structs.replace(lesson(0, 0, 4), drawn="the store does not know run g1-a1")
    with pytest.raises(NotDrawn, match="tiny/campaign-001@9: the store does not know run g1-a1"):
        count_rows([unknown], content_of(4))


def test_an_epoch_that_was_not_begun_at_its_first_row_has_skipped_what_stands_before() -> None:
    counted = count_rows([lesson(0, 2, 6)], content_of(10))
    assert (counted.num_repeated, counted.num_skipped) == (0, 2)
