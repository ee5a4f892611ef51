"""What the checkpoints of a chain have learnt, oldest first: ranges of an epoch's order, with what they mean.

All rows of a checkpoint were learnt by the run that saved it. Its config, kept with every launch, has the
seed of the order, the share that is held out, and how many rows an update takes.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from reconciler.app.proof.chain import Chain, Link
from reconciler.observed.facts import Facts
from state.contract.manifest import LearntRange
from state.contract.row_order import EpochOrder
from state.contract.run_config import RunConfig
from state.ids import RunKey
from state.store.rows import RunRow


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """How a run drew its rows."""

    seed: int
    held_out_fraction: float
    rows_per_update: int


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """Positions [start, stop) of an epoch's order of one content, learnt on the way to a checkpoint."""

    link: Link
    learnt: LearntRange
    drawing: Drawing
    run: RunKey
    first_update: int | None
    """The update that `rows_before` are counted from; None where it cannot be told."""
    rows_before: int
    """Learnt since that update began, before this range."""

    @property
    def campaign_uid(self) -> str:
        return self.link.manifest.campaign_uid

    @property
    def is_held_together_by(self) -> tuple[str, str, str]:
        """What a row is learnt exactly once an epoch for: campaign, order and content."""
        return self.campaign_uid, self.learnt.quest_id, self.learnt.digest

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
        return self.first_update + row // self.drawing.rows_per_update


class Lessons(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a chain has learnt."""

    lessons: tuple[Lesson, ...]
    problems: tuple[str, ...]


def lessons_of(chain: Chain, facts: Facts) -> Lessons:
    """Return what the chain has learnt, oldest first; and of which of its checkpoints that cannot be told."""
    lessons: list[Lesson] = []
    problems: list[str] = []
    for link in reversed(chain.links):
        run = link.run
        if run is None or not link.manifest.learnt:
            continue
        row = next((one for one in facts.runs_of(run.campaign_uid) if _is(one, run)), None)
        if row is None:
            problems.append(
                f"{link.checkpoint} was trained by run {run.folder}, which the store does not know: in which "
                "order it took its rows is not known"
            )
            continue
        config = msgspec.json.decode(row.config_json, type=RunConfig)
        if config.evaluation.held_out_digest is not None:
            problems.append(
                f"{link.checkpoint} was trained beside a held-out file, {config.evaluation.held_out_digest}: "
                "which rows of a quest stand in it, and were left out of the order, is not looked up"
            )
            continue
        lessons += _of_link(link, run, _drawing(config))
    return Lessons(lessons=tuple(lessons), problems=tuple(problems))


def _is(row: RunRow, run: RunKey) -> bool:
    return (row.generation, row.attempt) == (run.generation, run.attempt)


def _drawing(config: RunConfig) -> Drawing:
    """Return how a run drew: none of this can change while it lives (`state/contract/config_classes.py`)."""
    return Drawing(
        seed=config.training.seed,
        held_out_fraction=config.evaluation.held_out_fraction,
        rows_per_update=config.training.batch_size * config.training.gradient_accumulation,
    )


def _of_link(link: Link, run: RunKey, drawing: Drawing) -> Iterator[Lesson]:
    """Yield a checkpoint's ranges with the update that each begins in.

    An update takes rows of one quest; it may run on from one epoch into the next. Only the last of a quest is
    shorter, and a save follows it. If the updates do not add up to the step, none is told.
    """
    manifest = link.manifest
    streams = [list(stream) for _, stream in groupby(manifest.learnt, key=lambda one: one.quest_id)]
    updates = [-(-_num_rows(stream) // drawing.rows_per_update) for stream in streams]
    begin = (manifest.parent_step or 0) + 1
    is_sure = begin + sum(updates) == manifest.step + 1
    for stream, num_updates in zip(streams, updates, strict=True):
        before = 0
        for learnt in stream:
            yield Lesson(
                link=link,
                learnt=learnt,
                drawing=drawing,
                run=run,
                first_update=begin if is_sure else None,
                rows_before=before,
            )
            before += learnt.stop - learnt.start
        begin += num_updates


def _num_rows(ranges: Iterable[LearntRange]) -> int:
    return sum(one.stop - one.start for one in ranges)


def by_order(lessons: Sequence[Lesson]) -> dict[tuple[str, str, str], list[Lesson]]:
    """Return campaign, order and content → its lessons, in the order in which each was met first."""
    found: dict[tuple[str, str, str], list[Lesson]] = {}
    for lesson in lessons:
        found.setdefault(lesson.is_held_together_by, []).append(lesson)
    return found
