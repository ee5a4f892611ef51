"""`prove CHECKPOINT`: what it has learnt through all its ancestors, each row once an epoch or not."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from reconciler.app.looking.checkpoint_named import checkpoint_named
from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import View
from reconciler.app.proof.chain import Link
from reconciler.app.proof.contents import Content
from reconciler.app.proof.lessons import Lesson
from reconciler.app.proof.records import Proof, QuestProof
from reconciler.app.proof.spans import by_times
from reconciler.app.proof.study import Studied, Study, study
from reconciler.app.proof.today import file_proofs
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import NotFound
from reconciler.app.surroundings.place import Options
from reconciler.observed.checkpoints import verify_contents
from state.amounts import count
from state.contract.manifest import QuestCursor


def prove(environment: Environment, options: Options, checkpoint: str) -> Proof:
    """Return what `<hero>/<campaign>@<step>`, `@latest` or `@best` has learnt.

    Raises:
        Misused: this is no name of a checkpoint.
        NotFound: there is no such checkpoint, or nothing is known of what it had learnt.
    """
    view = look_in_force(environment, options)
    name, found = studied_checkpoint(view, checkpoint)
    itself = found.chain.links[0]
    problems = (
        *found.gaps,
        *_problems(found.orders),
        *_of_weights(itself),
        *_of_cursor(itself, found.orders),
    )
    return Proof(
        checkpoint=name,
        digest=itself.manifest.digest,
        is_proven=not problems,
        problems=problems,
        notes=(*_left_out(found.orders), *_notes(found.orders)),
        ancestors=tuple(link.told() for link in found.chain.links),
        quests=tuple(_quest_proof(one) for one in found.orders),
        files=file_proofs(view, found),
    )


def studied_checkpoint(view: View, checkpoint: str) -> tuple[str, Study]:
    """Return the name of a checkpoint, and what is known of what it has learnt.

    Raises:
        Misused: this is no name of a checkpoint.
        NotFound: there is no such checkpoint, or nothing is known of what it had learnt.
    """
    item = checkpoint_named(view, checkpoint)
    found = study(view, item.digest or "")
    if not found.chain.links:
        raise NotFound(
            f"nothing is known of what {item.id} had learnt: it is {item.state}, and the store has no record "
            "of it, which earlier versions did not keep"
        )
    return item.id, found


def _quest_proof(one: Studied) -> QuestProof:
    content, counted = one.content, one.counted
    num_trained = len(content.training(_newest(one).drawing)) if content else 0
    return QuestProof(
        campaign=one.campaign,
        quest=one.quest_id,
        part=one.part,
        content=one.digest,
        num_rows=len(content.rows) if content else (one.job.num_examples if one.job else 0),
        num_held_out=len(content.rows) - num_trained if content else 0,
        epochs=1 + max(lesson.learnt.epoch for lesson in one.lessons),
        first_step=(one.lessons[0].link.manifest.parent_step or 0) + 1,
        last_step=_newest(one).link.manifest.step,
        times=by_times(counted.times) if counted else (),
        num_repeated=counted.num_repeated if counted else 0,
        num_skipped=counted.num_skipped if counted else 0,
        num_left_out=counted.num_left_out if counted else 0,
        problem=one.problem,
    )


def _newest(one: Studied) -> Lesson:
    return one.lessons[-1]


def _problems(orders: Sequence[Studied]) -> Iterator[str]:
    """Yield what keeps the contents from being learnt exactly once an epoch, or from being counted."""
    for one in orders:
        if one.problem is not None:
            yield f"{one.name}: {one.problem}"
        elif one.counted is not None and (one.counted.num_repeated or one.counted.num_skipped):
            repeated = count(one.counted.num_repeated, "row")
            why = _why(one.lessons)
            yield f"{one.name}: {repeated} repeated, {one.counted.num_skipped:,} skipped{why}"


def _why(lessons: Sequence[Lesson]) -> str:
    """Return what changed between two runs, if that decides the order of rows."""
    for before, after in pairwise(lessons):
        for key in ("seed", "held_out_fraction", "held_out_digest"):
            old, new = getattr(before.drawing, key), getattr(after.drawing, key)
            if old != new:
                return f"; run {after.run.folder} has {key} {new}, the one before had {old}"
    return ""


def _of_weights(link: Link) -> Iterator[str]:
    """Yield what is wrong with the checkpoint's own files, when they are here: all are read and hashed."""
    if link.path is not None:
        for text in verify_contents(Path(link.path), link.manifest):
            yield f"{link.checkpoint} is damaged: {text}"


def _of_cursor(link: Link, orders: Sequence[Studied]) -> Iterator[str]:
    """Yield where the checkpoint's own cursor does not say what its ancestors have learnt."""
    if link.path is None:
        return  # what the store keeps has no cursor
    cursors = {(one.quest_id, one.digest): one for one in link.manifest.cursor}
    mine = [one for one in orders if one.lessons[0].campaign_uid == link.manifest.campaign_uid]
    for one in mine:
        cursor = cursors.pop((one.lessons[0].learnt.quest_id, one.digest), None)
        if one.content is None:
            continue
        taken = sum(lesson.learnt.stop - lesson.learnt.start for lesson in one.lessons)
        told = _rows_taken(cursor, one.content, one.lessons)
        if told != taken:
            yield (
                f"{one.name}: {link.checkpoint} says that {count(told, 'row')} were taken of it, its "
                f"ancestors have learnt {taken:,}"
            )
    for quest_id, digest in cursors:
        yield f"{link.checkpoint} says that it took rows of {quest_id} ({digest}), no ancestor has learnt one"


def _rows_taken(cursor: QuestCursor | None, content: Content, lessons: Sequence[Lesson]) -> int:
    """Return how many rows a cursor says were taken: an epoch has those that the run which ended it drew."""
    if cursor is None:
        return 0
    ended_by = {lesson.learnt.epoch: lesson.drawing for lesson in lessons}
    drawings = (ended_by.get(epoch, lessons[-1].drawing) for epoch in range(cursor.epochs_done))
    return sum(len(content.training(drawing)) for drawing in drawings) + cursor.rows_taken


def _left_out(orders: Sequence[Studied]) -> Iterator[str]:
    """Yield what was taken and not learnt: its loss jumped."""
    for one in orders:
        updates = sorted({lesson.first_update or 0 for lesson in one.lessons if lesson.is_left_out})
        if updates and one.counted is not None:
            rows = count(one.counted.num_left_out, "row")
            at = ", ".join(f"{update:,}" for update in updates)
            yield f"{one.name}: {rows} left out by the loss guard, not learnt, at update {at}"


def _notes(orders: Sequence[Studied]) -> Iterator[str]:
    """Yield rows that were learnt and are held out now: what is measured with them is too good."""
    counted = [(one, one.content, one.counted) for one in orders if one.content and one.counted]
    if not counted:
        return
    newest = max((_newest(one) for one, _, _ in counted), key=lambda lesson: lesson.link.manifest.step)
    for one, content, found in counted:
        late = found.times.keys() - set(content.training(newest.drawing))
        if late:
            was = "was" if len(late) == 1 else "were"
            yield (
                f"{one.name}: {count(len(late), 'row')} that the newest run holds out {was} learnt before: "
                "its held-out loss is too low"
            )
