"""Make the updates of one checkpoint again: the rows that it recorded, with the settings of its recipe."""

from collections.abc import Iterator, Mapping
from itertools import groupby

import msgspec

from state.contract.manifest import LearntRange, Manifest
from state.contract.orders import QuestOrder
from state.contract.recipe import Recipe, TrainedQuest, Turn
from trainer.data.order import Position
from trainer.engine.progress import position
from trainer.engine.session import Session


class CannotReplay(Exception):
    """A checkpoint that cannot be made again; one sentence for people."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Updates in a row that trained one quest."""

    quest_id: str
    digest: str
    begins_at: Position
    num_rows: int


def play(session: Session, manifest: Manifest, recipe: Recipe, data: Mapping[str, str]) -> None:
    """Train from where the session stands to the checkpoint's step, then save.

    `data`: digest of a quest's content → its file.

    Raises:
        CannotReplay: what is recorded does not fit together.
    """
    turns = list(recipe.turns)
    for stretch in stretches(manifest.learnt):
        order = _order(stretch, recipe, data)
        _leave_out(session, turns, manifest, recipe, data)
        _check_place(stretch, position(session.progress, order))
        for _ in range(-(-stretch.num_rows // session.state.shelf.documents_per_update)):
            _take_turns(session, turns)
            session.train_update(order)
            _leave_out(session, turns, manifest, recipe, data)
    progress = session.progress
    made = progress.learnt, progress.skipped, progress.step
    if made != (manifest.learnt, manifest.skipped, manifest.step):
        raise CannotReplay(
            f"the recorded rows make {progress.step} updates, the checkpoint is of step {manifest.step}"
        )
    session.save()


def stretches(learnt: tuple[LearntRange, ...]) -> Iterator[Stretch]:
    """Yield what was trained without another quest in between, in order."""
    for (quest_id, digest), ranges in groupby(learnt, key=lambda one: (one.quest_id, one.digest)):
        first, *others = ranges
        yield Stretch(
            quest_id=quest_id,
            digest=digest,
            begins_at=Position(epochs_done=first.epoch, rows_taken=first.start),
            num_rows=sum(one.stop - one.start for one in (first, *others)),
        )


def _order(stretch: Stretch, recipe: Recipe, data: Mapping[str, str]) -> QuestOrder:
    trained = _trained(stretch, recipe)
    if stretch.digest not in data:
        raise CannotReplay(f"the data of quest {stretch.quest_id} ({stretch.digest}) is not here")
    return QuestOrder(
        quest_id=stretch.quest_id,
        job_uid="",
        digest=stretch.digest,
        path=data[stretch.digest],
        num_rows=0,
        shape=trained.shape,
        epochs=trained.epochs,
        priority="normal",
    )


def _trained(stretch: Stretch, recipe: Recipe) -> TrainedQuest:
    wanted = (stretch.quest_id, stretch.digest)
    found = next((one for one in recipe.quests if (one.quest_id, one.digest) == wanted), None)
    if found is None:
        raise CannotReplay(f"it is not recorded how the rows of quest {stretch.quest_id} were read")
    return found


def _leave_out(
    session: Session, turns: list[Turn], manifest: Manifest, recipe: Recipe, data: Mapping[str, str]
) -> None:
    """Come to the updates that were left out next: their loss jumps again, so they are left out again."""
    left_out = {one.update: one for one in manifest.skipped}
    while (found := left_out.get(session.progress.step + 1)) is not None:
        at = Position(epochs_done=found.epoch, rows_taken=found.start)
        stretch = Stretch(
            quest_id=found.quest_id, digest=found.digest, begins_at=at, num_rows=found.stop - found.start
        )
        _take_turns(session, turns)
        session.train_update(_order(stretch, recipe, data))


def _take_turns(session: Session, turns: list[Turn]) -> None:
    """Put in force what was in force from the next update on."""
    state = session.state
    while turns and turns[0].update <= state.progress.step + 1:
        turn = turns.pop(0)
        if turn.config is not None:
            state.request = msgspec.structs.replace(state.request, config=turn.config)
        if turn.tokens_at_once is not None:
            state.shelf.budget.tokens = turn.tokens_at_once


def _check_place(stretch: Stretch, at: Position) -> None:
    if at != stretch.begins_at:
        raise CannotReplay(
            f"quest {stretch.quest_id} was gone on with at {_place(stretch.begins_at)}, "
            f"but its parent left it at {_place(at)}"
        )


def _place(at: Position) -> str:
    return f"row {at.rows_taken} of epoch {at.epochs_done + 1}"
