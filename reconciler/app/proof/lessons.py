"""What the checkpoints of a chain have learnt, oldest first: ranges of an epoch's order, with what they mean.

All rows of a checkpoint were learnt by the run that saved it, which says in which order.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from reconciler.app.proof.chain import Chain, Link
from reconciler.app.proof.drawing import Drawing, Drawings, NotDrawn
from state.contract.manifest import LearntRange
from state.contract.row_order import EpochOrder
from state.ids import RunKey


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """Positions [start, stop) of an epoch's order of one content, learnt on the way to a checkpoint."""

    link: Link
    learnt: LearntRange
    drawn: Drawing | str
    """How its run drew, or why that is not known."""
    run: RunKey
    first_update: int | None
    """The update that `rows_before` are counted from; None where it cannot be told."""
    rows_before: int
    """Learnt since that update began, before this range."""
    left_out: tuple[int, ...] = ()
    """Updates on the way to the checkpoint that the loss guard left out, in order."""
    is_left_out: bool = False
    """These rows were taken by one of them, and not learnt."""

    @property
    def campaign_uid(self) -> str:
        return self.link.manifest.campaign_uid

    @property
    def is_held_together_by(self) -> tuple[str, str, str]:
        """What a row is learnt exactly once an epoch for: campaign, order and content."""
        return self.campaign_uid, self.learnt.quest_id, self.learnt.digest

    @property
    def drawing(self) -> Drawing:
        """Return how its run drew its rows.

        Raises:
            NotDrawn: that is not known.
        """
        if isinstance(self.drawn, str):
            raise NotDrawn(f"{self.link.checkpoint}: {self.drawn}")
        return self.drawn

    def order(self, num_rows: int) -> EpochOrder:
        """Return the order that its positions are of."""
        learnt = self.learnt
        return EpochOrder(
            seed=self.drawing.seed, quest_digest=learnt.digest, epoch=learnt.epoch, num_rows=num_rows
        )

    def update_at(self, position: int) -> int | None:
        """Return the update that learnt the row at a position."""
        if self.first_update is None:
            return None
        row = self.rows_before + position - self.learnt.start
        update = self.first_update + row // self.drawing.rows_per_update
        for number in self.left_out:
            update += number <= update
        return update


def lessons_of(chain: Chain, drawings: Drawings) -> tuple[Lesson, ...]:
    """Return what the chain has learnt, oldest first."""
    learning = ((link, link.run) for link in reversed(chain.links) if _has_taken(link))
    return tuple(
        lesson
        for link, run in learning
        if run is not None
        for lesson in _of_link(link, run, drawings.of(run))
    )


def _has_taken(link: Link) -> bool:
    return bool(link.manifest.learnt or link.manifest.skipped)


def _of_link(link: Link, run: RunKey, drawn: Drawing | str) -> Iterator[Lesson]:
    """Yield a checkpoint's ranges with the update that each begins in.

    An update takes rows of one quest; it may run on from one epoch into the next. Only the last of a quest is
    shorter, and a save follows it. If the updates do not add up to the step, none is told.
    """
    manifest = link.manifest
    streams = [list(stream) for _, stream in groupby(manifest.learnt, key=lambda one: one.quest_id)]
    per_update = drawn.rows_per_update if isinstance(drawn, Drawing) else 1
    updates = [-(-_num_rows(stream) // per_update) for stream in streams]
    begin = (manifest.parent_step or 0) + 1
    left_out = tuple(sorted({one.update for one in manifest.skipped}))
    is_sure = begin + sum(updates) + len(left_out) == manifest.step + 1
    for stream, num_updates in zip(streams, updates, strict=True):
        before = 0
        for learnt in stream:
            yield Lesson(
                link=link,
                learnt=learnt,
                drawn=drawn,
                run=run,
                first_update=begin if is_sure else None,
                rows_before=before,
                left_out=left_out,
            )
            before += learnt.stop - learnt.start
        begin += num_updates
    yield from _left_out(link, run, drawn)


def _left_out(link: Link, run: RunKey, drawn: Drawing | str) -> Iterator[Lesson]:
    """Yield the ranges of a checkpoint that were taken and not learnt."""
    for one in link.manifest.skipped:
        taken = LearntRange(
            quest_id=one.quest_id, digest=one.digest, epoch=one.epoch, start=one.start, stop=one.stop
        )
        yield Lesson(
            link=link,
            learnt=taken,
            drawn=drawn,
            run=run,
            first_update=one.update,
            rows_before=0,
            is_left_out=True,
        )


def _num_rows(ranges: Iterable[LearntRange]) -> int:
    return sum(one.stop - one.start for one in ranges)


def by_order(lessons: Sequence[Lesson]) -> dict[tuple[str, str, str], list[Lesson]]:
    """Return campaign, order and content → its lessons, in the order in which each was met first."""
    found: dict[tuple[str, str, str], list[Lesson]] = {}
    for lesson in lessons:
        found.setdefault(lesson.is_held_together_by, []).append(lesson)
    return found
