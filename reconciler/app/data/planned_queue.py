"""What the active campaign has to train once a plan is carried out, as far as it is known. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import PurePath

import msgspec

from reconciler.desired.layers import held_out_of
from reconciler.desired.training import HeldOutFile
from reconciler.plan import actions as a
from reconciler.plan.changes import Change
from reconciler.plan.costs.training import Work
from reconciler.plan.queue.jobs import Rank, as_woken, cursor_of, rank_of
from reconciler.plan.world import World
from state.contract.inspection import Inspection, TokenCounts
from state.store.rows import JobRow

_OPEN = ("queued", "processing")


class PlannedQuest(msgspec.Struct, frozen=True, kw_only=True):
    """One content to train."""

    quest: str
    priority: str
    file: str
    rows: int | None
    """None: it is not known yet."""
    training_rows: int | None
    """Those that are not held out; by the share of the specs where nobody has counted them."""
    epochs: int
    epochs_left: float
    """Of them, as far as nothing of them is saved yet."""
    tokens: TokenCounts | None
    """Of one epoch; None: nobody has counted them."""
    job_uid: str = ""
    """Of the job that trains it; a change that is about this job is its cause."""


class PlannedQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the active campaign has to train, in its order."""

    campaign: str
    quests: tuple[PlannedQuest, ...]
    num_rows: int
    """Of those that are known."""
    num_tokens: int
    """Of one epoch of those that are known."""
    num_unknown: int
    """Quests of which the tokens are not known."""


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that a job trains."""

    num_rows: int | None
    digest: str | None


def planned_queue(
    world: World,
    changes: Iterable[Change],
    known: Mapping[str, Inspection],
    *,
    always: bool = False,
    anyway: Sequence[a.AnyAction] = (),
) -> PlannedQueue | None:
    """Return the queue as these changes leave it; None where they add nothing to train.

    With `always` also where they do not. `known`: quest id → what was found in its content. `anyway`: what is
    done besides; what it queues is trained, too.
    """
    made = [change.action for change in changes]
    if world.active is None or not (always or adds_training(world, made)):
        return None
    made += anyway
    ranked = [*_of_jobs(world, made, known), *_of_changes(world, made, known)]
    found = [one for _, one in sorted(ranked, key=itemgetter(0))]
    return PlannedQueue(
        campaign=world.active,
        quests=tuple(found),
        num_rows=sum(one.rows or 0 for one in found),
        num_tokens=sum(one.tokens.num_tokens for one in found if one.tokens),
        num_unknown=sum(one.tokens is None for one in found),
    )


def adds_training(world: World, made: Iterable[a.AnyAction]) -> bool:
    """Does any of this queue or launch something, begin a release, or give a job more epochs?"""
    made = tuple(made)
    if any(isinstance(action, a.EnqueueJob | a.LaunchRun) for action in made):
        return True
    if any(isinstance(action, a.BeginSegment) and action.kind == "decay" for action in made):
        return True
    epochs = {job.uid: job.epochs for job in world.facts.jobs_of(world.uid(world.active or ""))}
    updates = (action for action in made if isinstance(action, a.UpdateJob))
    return any(action.epochs > epochs.get(action.job_uid, action.epochs) for action in updates)


def waiting_again(made: Iterable[a.AnyAction]) -> frozenset[str]:
    """Return the jobs that these put back into the queue."""
    marks = (action for action in made if isinstance(action, a.MarkJob))
    return frozenset(action.job_uid for action in marks if action.status == "queued")


def _of_jobs(
    world: World, made: list[a.AnyAction], known: Mapping[str, Inspection]
) -> Iterator[tuple[Rank, PlannedQuest]]:
    """Yield what was to be trained before, as far as it still is."""
    updates = {action.job_uid: action for action in made if isinstance(action, a.UpdateJob)}
    over = {action.job_uid for action in made if isinstance(action, a.DequeueJob | a.EnqueueJob)}
    over |= {
        action.job_uid for action in made if isinstance(action, a.MarkJob) and action.status not in _OPEN
    }
    demoted = {action.job_uid for action in made if isinstance(action, a.MarkJob) and action.demoted}
    again = waiting_again(made)
    over |= world.facts.untrainable_jobs.keys()
    for job in world.facts.jobs_of(world.uid(world.active or "")):
        now = updates.get(job.uid, job)
        is_open = job.status in _OPEN or job.uid in again
        done = 0 if is_open or job.status != "completed" else job.epochs
        if (is_open or now.epochs > job.epochs) and job.uid not in over:
            found = _known(job.quest_id, job.digest, known)
            training_rows = _training_rows(world, job.num_examples, found)
            sent_back = job.uid in demoted
            later = as_woken(world, updates[job.uid]) if job.uid in updates else job
            rank = rank_of(world.quest_places, later, sent_back=sent_back)
            planned = PlannedQuest(
                quest=job.quest_id,
                priority="low" if later.demoted or sent_back else now.priority,
                file=PurePath(job.dataset_path).name,
                rows=job.num_examples,
                training_rows=training_rows,
                epochs=now.epochs - done,
                epochs_left=_epochs_left(world, job, now.epochs, training_rows),
                tokens=found.tokens if found is not None else None,
                job_uid=job.uid,
            )
            yield rank, planned


def _epochs_left(world: World, job: JobRow, epochs: int, training_rows: int) -> float:
    cursor = cursor_of(world, world.active or "", job)
    if cursor is None:
        return float(epochs)
    done = cursor.epochs_done + min(1.0, cursor.rows_taken / max(1, training_rows))
    return max(0.0, epochs - done)


def works_of(queue: PlannedQueue | None) -> tuple[Work, ...]:
    """Return what is left to train of each content of the queue."""
    return tuple(
        Work(
            rows=one.training_rows,
            updates=one.tokens.updates if one.tokens is not None else None,
            tokens=one.tokens.num_tokens if one.tokens is not None else None,
            epochs_left=one.epochs_left,
            is_about=one.tokens is None and one.training_rows != one.rows,
            job_uid=one.job_uid,
        )
        for one in (queue.quests if queue is not None else ())
    )


def _of_changes(
    world: World, made: list[a.AnyAction], known: Mapping[str, Inspection]
) -> Iterator[tuple[Rank, PlannedQuest]]:
    contents = dict(_brought_in(world, made))
    for action in made:
        if isinstance(action, a.EnqueueJob) and action.campaign == world.active:
            content = contents.get(action.source_key) or _there(world, action.source_key)
            found, rows = _known(action.quest_id, content.digest, known), content.num_rows
            planned = PlannedQuest(
                quest=action.quest_id,
                priority=action.priority,
                file=PurePath(action.dataset_path).name,
                rows=rows,
                training_rows=_training_rows(world, rows, found) if rows is not None else None,
                epochs=action.epochs,
                epochs_left=float(action.epochs),
                tokens=found.tokens if found is not None else None,
                job_uid=action.job_uid,
            )
            yield rank_of(world.quest_places, as_woken(world, action)), planned


def _brought_in(world: World, made: list[a.AnyAction]) -> Iterator[tuple[str, _Content]]:
    """Yield the key of each source that the plan brings in, with what comes of it."""
    counts = {quest.id: quest.count for quest in world.desired.quests}
    for action in made:
        if isinstance(action, a.SnapshotFile | a.TakeInboxFile):
            yield action.source_key, _Content(num_rows=action.num_rows, digest=action.digest)
        elif isinstance(action, a.GenerateQuest):
            count = counts.get(action.quest_id)
            yield action.source_key, _Content(num_rows=count, digest=action.expected_digest)


def _there(world: World, source_key: str) -> _Content:
    row = world.facts.known_data(source_key)
    return _Content(num_rows=row.num_rows if row else None, digest=row.digest if row else None)


def _known(quest_id: str, digest: str | None, known: Mapping[str, Inspection]) -> Inspection | None:
    """Return what was found in just this content; what is known may be of the quest's file as it is now."""
    found = known.get(quest_id)
    return found if found is not None and found.digest == digest else None


def _training_rows(world: World, num_rows: int, found: Inspection | None) -> int:
    """Return how many rows an epoch learns: counted, else without the share that is held out."""
    if found is not None:
        return num_rows - found.num_held_out
    campaign = world.active
    if campaign is None or campaign not in world.desired.campaigns:
        return num_rows
    share = held_out_of(world.desired, campaign)
    return num_rows if isinstance(share, HeldOutFile) else num_rows - round(num_rows * share)
