"""How far a campaign has come: which rows were learnt, when, and with what result. Pure records.

A position is exact to the row: the cursor says how many rows of the current epoch's order were taken,
and what was learnt since the last checkpoint is kept as ranges of positions in that order.
"""

import msgspec

from state.contract.manifest import LearntRange, Manifest, Measures, QuestCursor
from state.contract.orders import QuestOrder


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoint that training goes on from."""

    step: int
    digest: str


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a campaign between two updates, weights and optimizer apart."""

    step: int = 0
    cursor: tuple[QuestCursor, ...] = ()
    learnt: tuple[LearntRange, ...] = ()
    """Since the parent."""
    examples_seen: int = 0
    tokens_seen: int = 0
    train_loss: float | None = None
    """Of the last update."""
    val_loss: float | None = None
    learning_rate: float | None = None
    quest_id: str | None = None
    """Trained last."""
    parent: Parent | None = None


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """What one update trained."""

    epoch: int
    start: int
    stop: int
    """Positions [start, stop) of the epoch's order."""
    rows_per_epoch: int
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
        learning_rate=manifest.measures.learning_rate,
        quest_id=manifest.quest_id,
        parent=Parent(step=manifest.step, digest=manifest.digest),
    )


def position(progress: Progress, order: QuestOrder) -> QuestCursor | None:
    """Return how far this content of this quest has come; None before its first update."""
    found = (c for c in progress.cursor if (c.quest_id, c.digest) == (order.quest_id, order.digest))
    return next(found, None)


def is_complete(progress: Progress, order: QuestOrder) -> bool:
    """Were all epochs that are ordered now trained?"""
    cursor = position(progress, order)
    return cursor is not None and cursor.epochs_done >= order.epochs


def after_update(progress: Progress, order: QuestOrder, learnt: Learnt) -> Progress:
    """Return the progress with one more update of this quest."""
    step = progress.step + 1
    old = position(progress, order)
    new = _advanced(old, order, learnt, step)
    others = tuple(cursor for cursor in progress.cursor if cursor is not old)
    return msgspec.structs.replace(
        progress,
        step=step,
        cursor=(*others, new),
        learnt=_extended(progress.learnt, order, learnt),
        examples_seen=progress.examples_seen + learnt.stop - learnt.start,
        tokens_seen=progress.tokens_seen + learnt.tokens,
        train_loss=learnt.loss,
        learning_rate=learnt.learning_rate,
        quest_id=order.quest_id,
    )


def after_save(progress: Progress, manifest: Manifest) -> Progress:
    """Return the progress as seen from the checkpoint that was just published."""
    parent = Parent(step=manifest.step, digest=manifest.digest)
    return msgspec.structs.replace(progress, learnt=(), parent=parent)


def measures(progress: Progress) -> Measures:
    """Return what a checkpoint records of the measurements."""
    return Measures(
        train_loss=progress.train_loss,
        val_loss=progress.val_loss,
        learning_rate=progress.learning_rate,
        examples_seen=progress.examples_seen,
        tokens_seen=progress.tokens_seen,
    )


def _advanced(old: QuestCursor | None, order: QuestOrder, learnt: Learnt, step: int) -> QuestCursor:
    is_epoch_done = learnt.stop == learnt.rows_per_epoch
    epochs_done = learnt.epoch + int(is_epoch_done)
    return QuestCursor(
        quest_id=order.quest_id,
        digest=order.digest,
        epochs_done=epochs_done,
        rows_taken=0 if is_epoch_done else learnt.stop,
        complete=epochs_done >= order.epochs,
        first_step=step if old is None else old.first_step,
        last_step=step,
        last_loss=learnt.loss,
    )


def _extended(
    ranges: tuple[LearntRange, ...], order: QuestOrder, learnt: Learnt
) -> tuple[LearntRange, ...]:
    """Append the rows, joined to the last range where they follow it."""
    new = LearntRange(
        quest_id=order.quest_id,
        digest=order.digest,
        epoch=learnt.epoch,
        start=learnt.start,
        stop=learnt.stop,
    )
    if ranges and msgspec.structs.replace(ranges[-1], start=new.start, stop=new.stop) == new:
        last = ranges[-1]
        if last.stop == new.start:
            return (*ranges[:-1], msgspec.structs.replace(last, stop=new.stop))
    return (*ranges, new)
