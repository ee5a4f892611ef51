"""How far a campaign has come: which rows were learnt, when, and with what result. Pure records.

A position is exact to the row: the cursor says how many rows of the current epoch's order were taken,
and what was learnt since the last checkpoint is kept as ranges of positions in that order.
"""

import msgspec

from state.contract.examination import LevelResult
from state.contract.goals import Reached, num_quests_done
from state.contract.manifest import LearntRange, Manifest, Measures, QuestCursor, SkippedRange
from state.contract.orders import QuestOrder
from state.contract.recipe import Recipe, since_a_save, with_quest
from trainer.data.order import NextUpdate, Position, Taken


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoint that training goes on from."""

    step: int
    digest: str


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a campaign between two updates, weights and optimizer apart."""

    step: int = 0
    cursor: tuple[QuestCursor, ...] = ()
    learnt: tuple[LearntRange, ...] = ()
    """Since the parent, or since the checkpoint that is being written."""
    skipped: tuple[SkippedRange, ...] = ()
    """Since then, too: taken and left out by the loss guard."""
    examples_seen: int = 0
    tokens_seen: int = 0
    train_loss: float | None = None
    """Of the last update."""
    val_loss: float | None = None
    """The last one measured."""
    val_step: int | None = None
    """Where it was measured."""
    val_quest_id: str | None = None
    """The quest whose held-out rows it was measured on: perhaps one that is about to begin."""
    skills: tuple[LevelResult, ...] = ()
    """What the last examination came to."""
    skills_step: int | None = None
    """Where it was held."""
    learning_rate: float | None = None
    quest_id: str | None = None
    """Trained last."""
    parent: Parent | None = None
    recipe: Recipe | None = None
    """With what the updates since the parent were made."""


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """What one update trained."""

    update: NextUpdate
    tokens: int
    loss: float
    learning_rate: float


def resumed(manifest: Manifest) -> Progress:
    """Return the progress that a checkpoint recorded."""
    return Progress(
        step=manifest.step,
        cursor=manifest.cursor,
        examples_seen=manifest.measures.examples_seen,
        tokens_seen=manifest.measures.tokens_seen,
        train_loss=manifest.measures.train_loss,
        val_loss=manifest.measures.val_loss,
        val_step=manifest.step,
        val_quest_id=manifest.quest_id,
        learning_rate=manifest.measures.learning_rate,
        quest_id=manifest.quest_id,
        parent=Parent(step=manifest.step, digest=manifest.digest),
    )


def cursor_of(progress: Progress, order: QuestOrder) -> QuestCursor | None:
    """Return how far this content of this quest has come; None before its first update."""
    found = (c for c in progress.cursor if (c.quest_id, c.digest) == (order.quest_id, order.digest))
    return next(found, None)


def position(progress: Progress, order: QuestOrder) -> Position:
    """Return where the next update of this quest begins."""
    cursor = cursor_of(progress, order)
    if cursor is None:
        return Position()
    return Position(epochs_done=cursor.epochs_done, rows_taken=cursor.rows_taken)


def is_complete(progress: Progress, order: QuestOrder) -> bool:
    """Were all epochs that are ordered now trained?"""
    return position(progress, order).epochs_done >= order.epochs


def so_far(progress: Progress) -> Reached:
    """Return how far the campaign has come, in the terms of its goals."""
    quests = num_quests_done(progress.cursor)
    return Reached(updates=progress.step, tokens=progress.tokens_seen, quests=quests)


def after_update(progress: Progress, order: QuestOrder, learnt: Learnt) -> Progress:
    """Return the progress with one more update of this quest."""
    step = progress.step + 1
    old = cursor_of(progress, order)
    new = _advanced(old, order, learnt.update, step, learnt.loss)
    others = tuple(cursor for cursor in progress.cursor if cursor is not old)
    return msgspec.structs.replace(
        progress,
        step=step,
        cursor=(*others, new),
        learnt=_extended(progress.learnt, order, learnt.update.taken),
        examples_seen=progress.examples_seen + len(learnt.update.rows),
        tokens_seen=progress.tokens_seen + learnt.tokens,
        train_loss=learnt.loss,
        learning_rate=learnt.learning_rate,
        quest_id=order.quest_id,
        recipe=progress.recipe and with_quest(progress.recipe, order),
    )


def after_skip(progress: Progress, order: QuestOrder, update: NextUpdate, loss: float) -> Progress:
    """Return the progress once an update was left out: a step that changed nothing, its rows not learnt."""
    step = progress.step + 1
    old = cursor_of(progress, order)
    others = tuple(cursor for cursor in progress.cursor if cursor is not old)
    new = _advanced(old, order, update, step, old.last_loss if old else None)
    left_out = tuple(
        SkippedRange(
            update=step,
            quest_id=order.quest_id,
            digest=order.digest,
            epoch=part.epoch,
            start=part.start,
            stop=part.stop,
            loss=loss,
        )
        for part in update.taken
    )
    return msgspec.structs.replace(
        progress,
        step=step,
        cursor=(*others, new),
        skipped=(*progress.skipped, *left_out),
        quest_id=order.quest_id,
        recipe=progress.recipe and with_quest(progress.recipe, order),
    )


def after_snapshot(progress: Progress) -> Progress:
    """Return the progress once all of it is held for a checkpoint, which is yet to be written."""
    recipe = progress.recipe and since_a_save(progress.recipe, progress.step)
    return msgspec.structs.replace(progress, learnt=(), skipped=(), recipe=recipe)


def published(progress: Progress, manifest: Manifest) -> Progress:
    """Return the progress, which may have gone on, as seen from the checkpoint that is there now."""
    return msgspec.structs.replace(progress, parent=Parent(step=manifest.step, digest=manifest.digest))


def measures(progress: Progress) -> Measures:
    """Return what a checkpoint records of the measurements.

    A held-out loss only of this very step, and on the rows of the quest that the checkpoint names: losses are
    compared by that name.
    """
    measured_at = (progress.val_step, progress.val_quest_id)
    return Measures(
        train_loss=progress.train_loss,
        val_loss=progress.val_loss if measured_at == (progress.step, progress.quest_id) else None,
        learning_rate=progress.learning_rate,
        examples_seen=progress.examples_seen,
        tokens_seen=progress.tokens_seen,
    )


def examined(progress: Progress) -> tuple[LevelResult, ...] | None:
    """Return what a checkpoint records of examinations: only those of this very step."""
    return progress.skills if progress.skills_step == progress.step and progress.skills else None


def _advanced(
    old: QuestCursor | None, order: QuestOrder, update: NextUpdate, step: int, loss: float | None
) -> QuestCursor:
    after = update.after
    return QuestCursor(
        quest_id=order.quest_id,
        digest=order.digest,
        epochs_done=after.epochs_done,
        rows_taken=after.rows_taken,
        complete=after.epochs_done >= order.epochs,
        first_step=step if old is None else old.first_step,
        last_step=step,
        last_loss=loss,
    )


def _extended(
    ranges: tuple[LearntRange, ...], order: QuestOrder, taken: tuple[Taken, ...]
) -> tuple[LearntRange, ...]:
    """Append what was taken, joined to the last range where it follows it."""
    for part in taken:
        new = LearntRange(
            quest_id=order.quest_id,
            digest=order.digest,
            epoch=part.epoch,
            start=part.start,
            stop=part.stop,
        )
        if ranges and _follows(ranges[-1], new):
            new = msgspec.structs.replace(new, start=ranges[-1].start)
            ranges = ranges[:-1]
        ranges = (*ranges, new)
    return ranges


def _follows(last: LearntRange, new: LearntRange) -> bool:
    is_same_epoch = (last.quest_id, last.digest, last.epoch) == (new.quest_id, new.digest, new.epoch)
    return is_same_epoch and last.stop == new.start
