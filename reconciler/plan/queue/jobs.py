"""Jobs: one quest trained by one campaign; what is to do, what is done, what failed."""

from collections.abc import Mapping

import msgspec

from reconciler.plan.actions import (
    DequeueJob,
    EnqueueJob,
    MarkJob,
    UpdateJob,
)
from reconciler.plan.draft import Draft
from reconciler.plan.retries.fetches import FETCHES
from reconciler.plan.retries.retry import is_forgiven
from reconciler.plan.world import World
from state.contract.manifest import QuestCursor
from state.store.rows import CampaignRow, JobRow, RunRow

PRIORITIES = ("high", "normal", "low")
Rank = tuple[int, bool, int, str, int]
"""High before normal before low; of these the demoted ones last; then the order of the queue."""


class PendingJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is to be trained, as it will be once the plan's earlier changes are made."""

    uid: str
    quest_id: str
    epochs: int
    rank: Rank


def plan_progress(world: World, draft: Draft) -> None:
    """Mark the jobs of every campaign by what its newest checkpoint has learnt and how its runs ended."""
    live = {run.campaign: run for run in world.live_runs()}
    for row in world.facts.store.campaigns:
        running = live.get(row.name)
        status = running.seen.status if running and running.seen else None
        for job in world.facts.jobs_of(row.uid):
            if job.status in ("queued", "processing"):
                _plan_job(world, draft, row, job, running_quest=status.quest_id if status else None)


def _plan_job(
    world: World, draft: Draft, row: CampaignRow, job: JobRow, *, running_quest: str | None
) -> None:
    cursor = cursor_of(world, row.name, job)
    failure = _failure(world, row, job)
    if cursor is not None and cursor.epochs_done >= job.epochs:
        _mark_completed(world, draft, row, job, cursor)
    elif failure is not None:
        mark(draft, row, job, status="failed", reason=failure, start_step=job.start_step, last_error=failure)
    elif running_quest != job.order_id and _plan_failures(world, draft, row, job):
        return
    elif running_quest == job.order_id and job.status == "queued":
        start = cursor.first_step if cursor else None
        mark(draft, row, job, status="processing", reason="the trainer is at it", start_step=start)
    elif job.status == "processing" and _is_left(world, row.name, running_quest, job):
        overtaken = running_quest is not None
        mark(
            draft,
            row,
            job,
            status="queued",
            reason="another quest overtook it; it goes on later"
            if overtaken
            else "its run is gone; it goes on later",
            start_step=cursor.first_step if cursor else job.start_step,
        )


def _plan_failures(world: World, draft: Draft, row: CampaignRow, job: JobRow) -> bool:
    """Fail a job at its third failure in a row, and send it behind the others at its second."""
    from reconciler.plan.retries.failures import ATTEMPTS, DEMOTED_AFTER, failures_of

    runs = [*_closed_now(world, row), *(run for run in world.facts.runs_of(row.uid) if run.state == "ended")]
    failed = failures_of(job, runs, world.forgiven_at(row), world.now)
    if len(failed) >= ATTEMPTS:
        reason = f"failed {len(failed)} times in a row; the last: {failed[-1].message or failed[-1].end}"
        mark(draft, row, job, status="failed", reason=reason, start_step=job.start_step, last_error=reason)
        return True
    if len(failed) == job.failures:
        return False
    last = failed[-1].message if failed else None
    is_back = len(failed) >= DEMOTED_AFTER
    why = f"failure {len(failed)}: {last}" if failed else "a run made progress again"
    mark(
        draft,
        row,
        job,
        status="queued",
        reason=f"{why}; it goes behind the others" if is_back else why,
        start_step=job.start_step,
        last_error=last,
        failures=len(failed),
        demoted=True if is_back else None,
    )
    return True


def is_begun(world: World, campaign: str, job: JobRow) -> bool:
    """Has the campaign learnt anything of this job: by the job, the newest checkpoint or a living trainer?"""
    if job.status == "skipped":
        return False
    known = job.start_step is not None or job.status in ("processing", "completed", "failed")
    return known or cursor_of(world, campaign, job) is not None or _is_at_work(world, campaign, job)


def _is_at_work(world: World, campaign: str, job: JobRow) -> bool:
    """Does a living trainer of the campaign train this job? What it has learnt is saved when it leaves."""
    told = (live.seen.status for live in world.live_runs() if live.campaign == campaign and live.seen)
    return any(status is not None and status.quest_id == job.order_id for status in told)


def _is_left(world: World, campaign: str, running_quest: str | None, job: JobRow) -> bool:
    """Is nobody at this job any more: its run is gone, or trains another quest?"""
    if running_quest is None:
        return not _is_alive(world, campaign)
    return running_quest != job.order_id


def _is_alive(world: World, campaign: str) -> bool:
    return any(live.campaign == campaign for live in world.live_runs())


def cursor_of(world: World, campaign: str, job: JobRow) -> QuestCursor | None:
    """Return how far the newest checkpoint of a campaign has come in a job."""
    newest = world.newest_checkpoint(campaign)
    if newest is None:
        return None
    matches = (c for c in newest.manifest.cursor if (c.quest_id, c.digest) == (job.order_id, job.digest))
    return next(matches, None)


def _failure(world: World, row: CampaignRow, job: JobRow) -> str | None:
    """Return why the job cannot be trained: its campaign is gone for good, or its data bad, as its run said.

    While a deleted campaign lies in the trash, its jobs wait as it does: taken back, it goes on with them.
    """
    if row.status == "deleted" and _belongs_to(world, row, job) and not _lies_in_the_trash(world, row):
        return f"{row.name} was deleted for good: name another campaign under for:, or remove the quest"
    ended = [*_closed_now(world, row), *world.facts.runs_of(row.uid)]
    forgiven_at = world.forgiven_at(row)
    for run in ended:
        is_about_it = run.failure_class == "data" and run.quest_id == job.order_id
        if is_about_it and not is_forgiven(run.ended_at or "", forgiven_at, world.now):
            return run.message
    return None


def _lies_in_the_trash(world: World, row: CampaignRow) -> bool:
    stone = world.facts.deletion(row.uid)
    return stone is not None and stone.state == "trashed"


def _belongs_to(world: World, row: CampaignRow, job: JobRow) -> bool:
    """Can no other campaign train it in the place of this one: its quest names it, or it began the quest?"""
    place = world.quest_places.get(job.quest_id)
    is_named = place is not None and row.name in world.quests[place].for_
    return is_named or job.start_step is not None


def _closed_now(world: World, row: CampaignRow) -> list[RunRow]:
    """Return the open runs whose trainer left word already, as they will be closed."""
    closed = []
    for run in world.facts.runs_of(row.uid):
        seen = next(
            (
                s
                for s in world.seen(row.name).runs
                if (s.generation, s.attempt) == (run.generation, run.attempt)
            ),
            None,
        )
        if run.state != "ended" and seen is not None and seen.exit is not None and not seen.is_of(run.cookie):
            left = seen.exit
            closed.append(
                msgspec.structs.replace(
                    run,
                    failure_class=left.failure_class,
                    quest_id=left.quest_id,
                    message=left.message,
                    ended_at=left.exited_at,
                    last_checkpoint_step=left.last_checkpoint_step,
                )
            )
    return closed


def fail(draft: Draft, campaign: str, job: JobRow, reason: str) -> None:
    """Plan that a job which cannot be trained fails now, with the reason."""
    draft.add(
        MarkJob(
            job_uid=job.uid,
            quest_id=job.quest_id,
            campaign=campaign,
            status="failed",
            start_step=job.start_step,
            last_error=reason,
        ),
        subject=f"quest/{job.quest_id}",
        reason=reason,
        cause=f"campaign/{campaign}",
        source="drift",
    )


def _mark_completed(world: World, draft: Draft, row: CampaignRow, job: JobRow, cursor: QuestCursor) -> None:
    at_end = next((f for f in world.seen(row.name).checkpoints.complete if f.step == cursor.last_step), None)
    draft.add(
        MarkJob(
            job_uid=job.uid,
            quest_id=job.quest_id,
            campaign=row.name,
            status="completed",
            start_step=cursor.first_step,
            final_step=cursor.last_step,
            final_loss=cursor.last_loss,
            final_val_loss=at_end.manifest.measures.val_loss if at_end else None,
        ),
        subject=f"quest/{job.quest_id}",
        reason=f"every row is learnt, {job.epochs} epoch{'s' if job.epochs > 1 else ''}",
        cause=f"checkpoint-{cursor.last_step}",
        source="progress",
    )


def mark(
    draft: Draft,
    row: CampaignRow,
    job: JobRow,
    *,
    status: str,
    reason: str,
    start_step: int | None,
    last_error: str | None = None,
    failures: int | None = None,
    demoted: bool | None = None,
    cause: str | None = None,
) -> None:
    """Plan that a job's status changes; without a cause it is the campaign's doing."""
    draft.add(
        MarkJob(
            job_uid=job.uid,
            quest_id=job.quest_id,
            campaign=row.name,
            status=status,  # type: ignore[arg-type]  # the callers above pass literals
            start_step=start_step,
            last_error=last_error,
            failures=failures,
            demoted=demoted,
        ),
        subject=f"quest/{job.quest_id}",
        reason=reason,
        cause=cause or f"campaign/{row.name}",
        source="progress",
    )


def pending(world: World, draft: Draft, campaign: str, *, again: bool = False) -> tuple[PendingJob, ...]:
    """Return what the campaign has to train, in order, once the draft's changes are made.

    With `again` what it has learnt to the end is among it: a branch may stand before that.
    """
    finished = finished_uids(world, draft, campaign)
    finished -= learnt_uids(world, draft, campaign) if again else set()
    fetched, waiting = _fetched(draft), _barred(world, draft, campaign)
    sent_back = {action.job_uid for action in draft.actions(MarkJob) if action.demoted}
    found = {
        job.uid: _pending(world.quest_places, job, sent_back)
        for job in world.facts.jobs_of(world.uid(campaign))
        if job.uid not in finished and _has_content(world, fetched, job)
    }
    for action in _woken(world, draft):
        if action.campaign == campaign:
            found[action.job_uid] = _pending(world.quest_places, as_woken(world, action), sent_back)
    return tuple(sorted((job for job in found.values() if job.uid not in waiting), key=lambda job: job.rank))


def _pending(places: Mapping[str, int], job: JobRow, sent_back: set[str]) -> PendingJob:
    rank = rank_of(places, job, sent_back=job.uid in sent_back)
    return PendingJob(uid=job.uid, quest_id=job.quest_id, epochs=job.epochs, rank=rank)


def rank_of(places: Mapping[str, int], job: JobRow, *, sent_back: bool = False) -> Rank:
    """Return by what a job is trained before or after another; `places`: quest id → place in the queue."""
    demoted = job.demoted or sent_back
    priority = "low" if demoted else job.priority
    place = places.get(job.quest_id, len(places))
    return (PRIORITIES.index(priority), demoted, place, job.created_at, job.part)


def as_woken(world: World, action: EnqueueJob | UpdateJob) -> JobRow:
    """Return the job as it will be after the action, as far as its place in the queue goes."""
    job = world.facts.job(action.job_uid)
    if job is not None:
        demoted = job.demoted and job.status != "completed"
        return msgspec.structs.replace(job, priority=action.priority, epochs=action.epochs, demoted=demoted)
    return JobRow(
        uid=action.job_uid,
        id="",
        quest_id=action.quest_id,
        campaign_uid="",
        hero_id="",
        campaign_id="",
        source_key="",
        dataset_path="",
        digest="",
        num_examples=0,
        shape_json="",
        priority=action.priority,
        epochs=action.epochs,
        status="queued",
        created_at=world.now,
        part=action.part if isinstance(action, EnqueueJob) else 1,
    )


def finished_uids(world: World, draft: Draft, campaign: str) -> set[str]:
    """Return the jobs of a campaign that are no longer to be trained once the draft's changes are made."""
    finished = _uids_with(world, draft, campaign, {"completed", "failed", "skipped"})
    finished |= {action.job_uid for action in draft.actions(DequeueJob)}
    return finished - {action.job_uid for action in _woken(world, draft)}


def learnt_uids(world: World, draft: Draft, campaign: str) -> set[str]:
    """Return the jobs of a campaign that are learnt; a trainer passes over them in its orders."""
    learnt = _uids_with(world, draft, campaign, {"completed"})
    return learnt - {action.job_uid for action in _woken(world, draft)}


def _uids_with(world: World, draft: Draft, campaign: str, statuses: set[str]) -> set[str]:
    marked = {action.job_uid: action.status for action in draft.actions(MarkJob)}
    jobs = world.facts.jobs_of(world.uid(campaign))
    return {job.uid for job in jobs if marked.get(job.uid, job.status) in statuses}


def _woken(world: World, draft: Draft) -> list[EnqueueJob | UpdateJob]:
    """Return the planned actions after which a job is to be trained, or still is."""
    updates = (update for update in draft.actions(UpdateJob) if _is_woken(world, update))
    return [*draft.actions(EnqueueJob), *updates]


def _is_woken(world: World, update: UpdateJob) -> bool:
    job = world.facts.job(update.job_uid)
    if job is None:
        return False
    if job.status != "completed":
        return job.status in ("queued", "processing")
    cursor = cursor_of(world, update.campaign, job)
    is_learnt = cursor is not None and cursor.epochs_done >= update.epochs  # before they were lowered
    return update.epochs > job.epochs and not is_learnt


def _fetched(draft: Draft) -> set[str]:
    """Return the sources whose content this plan brings in."""
    return {change.action.source_key for change in draft.changes if isinstance(change.action, FETCHES)}


def _has_content(world: World, fetched: set[str], job: JobRow) -> bool:
    """Does the job's content lie in the realm, or is it brought in by this plan?"""
    return job.source_key in fetched or world.facts.quest_data(job.source_key) is not None


def describe(world: World, draft: Draft, campaign: str) -> str:
    """Return the campaign's work in a few words: `quest bin-l1` or `quest a and 2 more`."""
    work = pending(world, draft, campaign)
    more = f" and {len(work) - 1} more" if len(work) > 1 else ""
    return f"quest {work[0].quest_id}{more}" if work else "no quest"


def _barred(world: World, draft: Draft, campaign: str) -> frozenset[str]:
    """Return the jobs whose rows the next run would refuse."""
    if not world.facts.untrainable_jobs:
        return frozenset()
    from reconciler.plan.queue.untrainable import barred

    return barred(world, draft, campaign)
