"""What people asked about a quest: skip it for now, or try it again."""

import apsw
import msgspec

from reconciler.act.answering import answer_once
from reconciler.act.job_history import owe_line, settle_history
from reconciler.act.tools import Tools
from reconciler.plan.actions import HandleQuestRequest
from state.store.rows import CampaignRow, JobRow, JobStatus
from state.store.tables import put, select, select_one


def handle(action: HandleQuestRequest, tools: Tools) -> str:
    """Change the quest's jobs and mark the request as handled, in one transaction.

    Raises:
        Permanent: there is no such request.
    """
    change = _skip if action.kind == "skip" else _retry
    result = answer_once(tools, action.request_id, lambda store, now: change(store, action, now))
    settle_history(tools)
    return result


def _skip(store: apsw.Connection, action: HandleQuestRequest, now: str) -> str:
    """Send the waiting jobs behind all others; those that are there already leave the queue."""
    reason = f"skipped by {action.asked_by}: {action.why}"
    jobs = _jobs(store, action, ("queued", "processing"))
    leaving = [job for job in jobs if job.demoted]
    for job in jobs:
        changed = msgspec.structs.replace(job, demoted=True, last_error=reason)
        if job in leaving:
            changed = msgspec.structs.replace(changed, status="skipped", finished_at=now)
            owe_line(store, changed)
        put(store, [changed])
    if not jobs:
        return f"quest {action.quest_id} waits nowhere; nothing was done"
    if leaving:
        return f"quest {action.quest_id} leaves the queue: reconcile retry {action.quest_id} brings it back"
    return f"quest {action.quest_id} goes behind all others, as a low one"


def _retry(store: apsw.Connection, action: HandleQuestRequest, now: str) -> str:
    """Bring back what failed or was skipped, and let what was sent behind take its place again."""
    open_ = ("failed", "skipped", "queued", "processing")
    jobs = [job for job in _jobs(store, action, open_) if _is_held(job)]
    for job in jobs:
        put(store, [_in_its_place(job)])
        campaign = select_one(store, CampaignRow, "WHERE uid = ?", job.campaign_uid)
        if campaign is not None:
            put(store, [msgspec.structs.replace(campaign, forgiven_at=now)])
    if not jobs:
        return f"quest {action.quest_id} has not failed and was not skipped; nothing was done"
    if all(job.status == "processing" for job in jobs):
        told = "is trained now, and has its place again; earlier failures no longer count"
        return f"quest {action.quest_id} {told}"
    return f"quest {action.quest_id} waits again in its place; earlier failures no longer count"


def _in_its_place(job: JobRow) -> JobRow:
    """Return a job as if nobody had skipped it and it had not failed; what is trained now goes on."""
    status: JobStatus = "processing" if job.status == "processing" else "queued"
    return msgspec.structs.replace(
        job, status=status, finished_at=None, demoted=False, failures=0, last_error=None
    )


def _is_held(job: JobRow) -> bool:
    """Did it fail, or did a person or two failures send it back?"""
    return job.status == "failed" or job.demoted


def _jobs(store: apsw.Connection, action: HandleQuestRequest, statuses: tuple[str, ...]) -> list[JobRow]:
    found = select(store, JobRow, "WHERE quest_id = ?", action.quest_id)
    return [job for job in found if job.status in statuses]
