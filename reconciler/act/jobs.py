"""Jobs: into the queue, out of it, and how far each has come."""

from typing import Any

import apsw
import msgspec

from reconciler.act.derived import campaign_row
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.job_history import owe_line, settle_history
from reconciler.act.tools import Tools
from reconciler.plan.actions import DequeueJob, EnqueueJob, MarkJob, UpdateJob
from reconciler.plan.segments.learnt_again import as_not_ended
from state.amounts import count
from state.store.rows import JobRow, JobStatus, LedgerRow, QuestDataRow
from state.store.tables import put, select, select_one

TRANSITIONS: dict[JobStatus, tuple[JobStatus, ...]] = {
    "queued": ("processing", "completed", "failed", "skipped"),
    "processing": ("queued", "completed", "failed", "skipped"),
    "completed": ("queued",),  # more epochs; or what learnt the last of it is damaged
    "failed": ("queued", "skipped"),  # a person let it try again, or took it out
    "skipped": ("queued",),  # it came back into the queue
}
"""Which status may follow which. Straight from queued to an end: the whole quest passed between two looks."""

_ENDED = ("completed", "failed", "skipped")


def enqueue(action: EnqueueJob, tools: Tools) -> str:
    """Create the job, or put one that was skipped or had failed back into the queue.

    Raises:
        Temporary: the quest's content is not in the realm.
    """
    with tools.writer.transaction() as store:
        data = select_one(store, QuestDataRow, "WHERE source_key = ?", action.source_key)
        if data is None:
            raise Temporary(
                f"quest {action.quest_id}: its content is not in the realm yet; it is brought in first"
            )
        existing = select_one(store, JobRow, "WHERE uid = ?", action.job_uid)
        if existing is None:
            job = _new_job(store, action, data, tools.now())
        elif existing.status in ("queued", "processing"):
            job = existing
        else:
            job = _back_in_queue(existing, action, data)
        put(store, [job])
    return f"job {job.id}, {count(job.num_examples, 'row')}"


def update(action: UpdateJob, tools: Tools) -> str:
    """Write priority and epochs; a completed job with more epochs to do waits again, in its own place."""
    with tools.writer.transaction() as store:
        job = _find(store, action.job_uid, action.quest_id)
        wakes = job.status == "completed" and action.epochs > job.epochs
        changed = msgspec.structs.replace(job, priority=action.priority, epochs=action.epochs)
        if wakes:
            changed = msgspec.structs.replace(changed, status="queued", finished_at=None, demoted=False)
        put(store, [changed])
    return "waits again for its further epochs" if changed.status == "queued" and wakes else "job changed"


def dequeue(action: DequeueJob, tools: Tools) -> str:
    """Skip the job; the reason stays in its last error."""
    _change_status(tools, action.job_uid, action.quest_id, "skipped", last_error=action.why)
    return f"skipped: {action.why}"


def mark(action: MarkJob, tools: Tools) -> str:
    """Write down how far the job has come.

    Raises:
        Temporary: it would be completed by a checkpoint that was found damaged since it was planned.
    """
    if action.status == "completed":
        _check_its_end(action, tools)
    given = {
        name: value
        for name in (
            *("start_step", "final_step", "final_loss", "final_val_loss", "last_error"),
            *("failures", "demoted"),
        )
        if (value := getattr(action, name)) is not None
    }
    _change_status(tools, action.job_uid, action.quest_id, action.status, **given)
    return action.status


def _check_its_end(action: MarkJob, tools: Tools) -> None:
    """See that the checkpoint which learnt the last of it is whole: else that is learnt again."""
    with tools.writer.transaction() as store:
        uid = _find(store, action.job_uid, action.quest_id).campaign_uid
        rows = select(store, LedgerRow, "WHERE campaign_uid = ? AND step = ?", uid, action.final_step)
    if rows and all(row.damage is not None for row in rows):
        end = f"checkpoint {action.campaign}@{action.final_step}, which learnt the last of it"
        raise Temporary(f"quest {action.quest_id}: {end}, is damaged: {rows[-1].damage}")


def _change_status(tools: Tools, uid: str, quest_id: str, status: JobStatus, **fields: Any) -> None:
    """Move a job to the status; one that has it already stays as it is.

    Raises:
        Permanent: this status may not follow the job's.
    """
    with tools.writer.transaction() as store:
        job = _find(store, uid, quest_id)
        moved = job if job.status == status else _moved(job, status, tools.now())
        if job.status == "completed" and status == "queued":
            moved = as_not_ended(moved, fields.get("start_step"))
        changed = msgspec.structs.replace(moved, **fields)
        if changed != job and (job.status != status or status == "queued"):
            put(store, [changed])
            if status in _ENDED:
                owe_line(store, changed)
    settle_history(tools)


def _moved(job: JobRow, status: JobStatus, now: str) -> JobRow:
    if status not in TRANSITIONS[job.status]:
        allowed = ", ".join(TRANSITIONS[job.status])
        raise Permanent(f"job {job.id} is {job.status} and cannot become {status}; it may become {allowed}")
    if status == "processing":
        return msgspec.structs.replace(job, status=status, started_at=now, attempts=job.attempts + 1)
    return msgspec.structs.replace(job, status=status, finished_at=now if status in _ENDED else None)


def _find(store: apsw.Connection, uid: str, quest_id: str) -> JobRow:
    job = select_one(store, JobRow, "WHERE uid = ?", uid)
    if job is None:
        raise Permanent(f"quest {quest_id}: there is no job {uid} in the store")
    return job


def _back_in_queue(job: JobRow, action: EnqueueJob, data: QuestDataRow) -> JobRow:
    return msgspec.structs.replace(
        job,
        status="queued",
        priority=action.priority,
        epochs=action.epochs,
        finished_at=None,
        last_error=None,
        **_content(action, data),
    )


def _new_job(store: apsw.Connection, action: EnqueueJob, data: QuestDataRow, now: str) -> JobRow:
    hero, _, campaign = campaign_row(store, action.campaign_uid, action.campaign).name.partition("/")
    return JobRow(
        uid=action.job_uid,
        id=_free_id(store, action.dataset_path, now),
        quest_id=action.quest_id,
        campaign_uid=action.campaign_uid,
        hero_id=hero,
        campaign_id=campaign,
        priority=action.priority,
        epochs=action.epochs,
        status="queued",
        created_at=now,
        part=action.part,
        follows=action.follows,
        **_content(action, data),
    )


def _content(action: EnqueueJob, data: QuestDataRow) -> dict[str, Any]:
    return {
        "source_key": action.source_key,
        "dataset_path": action.dataset_path,
        "digest": data.digest,
        "num_examples": data.num_rows,
        "shape_json": msgspec.json.encode(action.shape).decode(),
    }


def _free_id(store: apsw.Connection, dataset_path: str, now: str) -> str:
    """Return `YYYY-MM-DDTHH:MM:SS_<file>`, with a number behind it when this second has one already."""
    wanted = f"{now.removesuffix('Z')}_{dataset_path.rpartition('/')[2]}"
    number, found = 1, wanted
    while select_one(store, JobRow, "WHERE id = ?", found) is not None:
        number += 1
        found = f"{wanted}-{number}"
    return found
