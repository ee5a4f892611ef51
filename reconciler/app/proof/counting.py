"""How often each row of one content was learnt in one campaign, and whether once in every epoch. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from reconciler.app.proof.contents import Content
from reconciler.app.proof.lessons import Lesson


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a content."""

    times: Counter[int]
    """Index of a row → how often it was learnt."""
    num_repeated: int
    num_skipped: int
    num_left_out: int = 0
    """Rows that an epoch took and did not learn: the loss guard left their update out."""


class OtherSplit(Exception):
    """The positions are not of these rows."""


def count_rows(lessons: Sequence[Lesson], content: Content) -> Counted:
    """Return how often each row was learnt.

    In an epoch that is over, every training row must have come once; in the last one that was begun, those up
    to where it has come. What is over is judged by the split of the epoch's last run.

    Raises:
        OtherSplit: a run learnt more rows of an epoch than the content has for training.
        NotDrawn: it is not known how a run drew its rows.
    """
    times: Counter[int] = Counter()
    repeated = skipped = left_out = 0
    last = max(lesson.learnt.epoch for lesson in lessons)
    for epoch in range(last + 1):
        parts = [lesson for lesson in lessons if lesson.learnt.epoch == epoch]
        in_epoch = _taken((one for one in parts if not one.is_left_out), content)
        out = _taken((one for one in parts if one.is_left_out), content).keys() - in_epoch.keys()
        times.update(in_epoch)
        left_out += len(out)
        if epoch == last and _is_in_order(parts):
            continue
        repeated += sum(number - 1 for number in in_epoch.values())
        skipped += len(_due(parts or lessons, content, is_over=epoch < last) - in_epoch.keys() - out)
    return Counted(times=times, num_repeated=repeated, num_skipped=skipped, num_left_out=left_out)


def training_positions(lesson: Lesson, content: Content) -> tuple[int, ...]:
    """Return the rows that its run could learn.

    Raises:
        OtherSplit: there are fewer than it says that it has learnt.
        NotDrawn: it is not known how it drew them.
    """
    training = content.training(lesson.drawing)
    if lesson.learnt.stop > len(training):
        raise OtherSplit(
            f"{lesson.link.checkpoint} has learnt {lesson.learnt.stop:,} rows of an epoch of "
            f"{content.digest}, which has {len(training):,} that are not held out: another split was in force"
        )
    return training


def _taken(lessons: Iterable[Lesson], content: Content) -> Counter[int]:
    found: Counter[int] = Counter()
    for lesson, start, stop in _joined(lessons):
        training = training_positions(lesson, content)
        if (start, stop) == (0, len(training)):
            found.update(training)
            continue
        order = lesson.order(len(training))
        found.update(training[order.row_at(position)] for position in range(start, stop))
    return found


def _joined(lessons: Iterable[Lesson]) -> list[tuple[Lesson, int, int]]:
    """Return ranges of one order joined where one follows the other: a whole epoch needs no walk."""
    found: list[tuple[Lesson, int, int]] = []
    for lesson in sorted(lessons, key=lambda one: (one.drawing.seed, one.learnt.start)):
        if found and _is_alike(found[-1][0], lesson) and found[-1][2] == lesson.learnt.start:
            first, start, _ = found.pop()
            found.append((first, start, lesson.learnt.stop))
        else:
            found.append((lesson, lesson.learnt.start, lesson.learnt.stop))
    return found


def _is_in_order(lessons: Iterable[Lesson]) -> bool:
    """Do the ranges of the last epoch follow each other from its beginning, in one order?"""
    joined = _joined(lessons)
    return len(joined) == 1 and joined[0][1] == 0


def _is_alike(one: Lesson, other: Lesson) -> bool:
    """Do both draw from the same order of the same rows?"""
    return (one.drawing.seed, one.drawing.split) == (other.drawing.seed, other.drawing.split)


def _due(lessons: Sequence[Lesson], content: Content, *, is_over: bool) -> set[int]:
    """Return the rows that an epoch must have learnt by now."""
    last = lessons[-1]
    training = training_positions(last, content)
    reached = max(one.learnt.stop for one in lessons)
    if is_over or reached >= len(training):
        return set(training)
    order = last.order(len(training))
    return {training[order.row_at(position)] for position in range(reached)}
