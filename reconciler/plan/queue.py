"""The queue: each quest's content is fixed once, then trained once by each campaign that it is for."""

from reconciler.desired.queue import Quest
from reconciler.plan import jobs
from reconciler.plan.actions import (
    DequeueJob,
    EnqueueJob,
    GenerateQuest,
    RegisterCampaign,
    SnapshotFile,
    UpdateJob,
)
from reconciler.plan.draft import Draft
from reconciler.plan.fetches import is_held_back
from reconciler.plan.quest_sources import NoSource, QuestSource, quest_source
from reconciler.plan.retry import is_forgiven
from reconciler.plan.world import World
from state.ids import job_uid
from state.store.rows import JobRow


def plan_queue(world: World, draft: Draft) -> None:
    """Bring in the content of the active campaign's quests, and keep its jobs as the queue says."""
    if world.facts.snapshots.problem is not None or _is_suspended(world):
        _say_why_nothing_moves(world, draft)
        return
    wanted: set[str] = set()
    for quest in world.desired.quests:
        draft.settle(f"quest/{quest.id}")
        campaign = _campaign_for(world, quest)
        if campaign is None:
            wanted |= _jobs_of_quest(world, quest)
            _say_what_it_waits_for(world, draft, quest)
        else:
            wanted |= _jobs_named_by(world, quest) | {job_uid(world.uid(campaign), quest.id)}
            _plan_quest(world, draft, quest, campaign)
    _plan_leavers(world, draft, wanted)


def _is_suspended(world: World) -> bool:
    return world.desired.queue is not None and world.is_suspended(world.desired.queue.spec.suspend)


def _say_why_nothing_moves(world: World, draft: Draft) -> None:
    problem = world.facts.snapshots.problem
    draft.block(
        "queue",
        code="data-unreadable" if problem else "suspended",
        message=problem or "the queue is suspended; its jobs stay as they are",
        cause=world.where("queue", "suspend"),
        hint="make the folder readable again" if problem else "remove suspend from specs/queue.yaml",
    )


def _campaign_for(world: World, quest: Quest) -> str | None:
    """Return the campaign that trains this quest now: the active one, if the quest is for it."""
    active = world.active
    if active is None:
        return None
    hero = active.partition("/")[0]
    if active in quest.for_:
        return active
    if quest.for_ and hero not in quest.for_:
        return None
    started = _started_elsewhere(world, quest, hero if quest.for_ else None)
    return active if started in (None, active) else None


def _started_elsewhere(world: World, quest: Quest, hero: str | None) -> str | None:
    """Return the campaign (of the hero, if given) that has begun a quest which is trained once in all."""
    for job in world.facts.jobs_of_quest(quest.id):
        name = world.name(job.campaign_uid)
        is_elsewhere = name not in quest.for_ and hero in (None, name.partition("/")[0])
        if is_elsewhere and jobs.is_begun(world, name, job):
            return name
    return None


def _jobs_of_quest(world: World, quest: Quest) -> set[str]:
    """Return the jobs of a quest that waits: those already begun, and those of campaigns that it names."""
    return _jobs_begun(world, quest) | _jobs_named_by(world, quest)


def _jobs_begun(world: World, quest: Quest) -> set[str]:
    return {
        job.uid
        for job in world.facts.jobs_of_quest(quest.id)
        if jobs.is_begun(world, world.name(job.campaign_uid), job)
    }


def _jobs_named_by(world: World, quest: Quest) -> set[str]:
    named = {
        job_uid(row.uid, quest.id)
        for row in world.facts.store.campaigns
        if row.name in quest.for_ or row.name.partition("/")[0] in quest.for_
    }
    return named | _jobs_begun(world, quest)


def _say_what_it_waits_for(world: World, draft: Draft, quest: Quest) -> None:
    if _is_finished(world, quest):
        return
    begun_by = _started_elsewhere(world, quest, None)
    if not quest.for_ and begun_by and begun_by not in world.desired.campaigns:
        draft.block(
            f"quest/{quest.id}",
            code="waits",
            message=f"was begun by {begun_by}, which has no spec any more",
            cause=_where(world, quest),
            hint=f"bring specs/campaigns/{begun_by}.yaml back, or give the quest another id to train it anew",
        )
        return
    if quest.for_:
        who = " or ".join(name if "/" in name else f"a campaign of {name}" for name in quest.for_)
    else:
        who = f"{begun_by}, which began it," if begun_by else "a campaign"
    draft.block(
        f"quest/{quest.id}",
        code="waits",
        message=f"waits until {who} is active",
        cause=_where(world, quest),
        hint="choose the active campaign in specs/realm.yaml",
    )


def _is_finished(world: World, quest: Quest) -> bool:
    """Has every campaign that the quest names, or the one that began it, trained it?"""
    mine = world.facts.jobs_of_quest(quest.id)
    done = {job.campaign_uid for job in mine if job.status == "completed" and job.epochs >= quest.epochs}
    named = {world.uid(who) for who in quest.for_ if "/" in who}
    heroes = {who for who in quest.for_ if "/" not in who}
    heroes_done = {job.hero_id for job in mine if job.campaign_uid in done}
    return bool(done) and named <= done and heroes <= heroes_done


def _plan_quest(world: World, draft: Draft, quest: Quest, campaign: str) -> None:
    job = next((job for job in world.facts.jobs_of(world.uid(campaign)) if job.quest_id == quest.id), None)
    source = quest_source(world, quest)
    if job is None or job.status == "skipped" or _is_forgiven(world, campaign, job):
        if isinstance(source, QuestSource) and _is_other_content(job, source):
            message = "something of it was trained before, with other content or read in another way"
            _block(
                world, draft, quest, "quest-changed", message, "give the new content a quest id of its own"
            )
        elif isinstance(source, QuestSource):
            _enqueue(world, draft, quest, campaign, source)
        else:
            _block(world, draft, quest, source.code, source.message, source.hint)
        return
    if isinstance(source, QuestSource) and source.key != job.source_key:
        message = "its content changed after it was queued; what was queued is what is trained"
        _block(world, draft, quest, "quest-changed", message, "give the new content a quest id of its own")
    if job.status == "failed":
        hint = f"mend it, then reconcile resume {campaign}"
        _block(world, draft, quest, "quest-failed", job.last_error or "failed", hint)
    _restore_content(world, draft, quest, job, source)
    _plan_update(world, draft, quest, campaign, job)


def _is_other_content(job: JobRow | None, source: QuestSource) -> bool:
    """Was something of this quest learnt that came from another source, or was read in another way?"""
    return (
        job is not None
        and job.status == "skipped"
        and job.start_step is not None
        and job.source_key != source.key
    )


def _is_forgiven(world: World, campaign: str, job: JobRow) -> bool:
    row = world.facts.campaign_row(campaign)
    forgiven_at = world.forgiven_at(row) if row else None
    return job.status == "failed" and is_forgiven(job.finished_at or "", forgiven_at, world.now)


def _restore_content(
    world: World, draft: Draft, quest: Quest, job: JobRow, source: QuestSource | NoSource
) -> None:
    """Bring back the content of a job that is not finished and whose snapshot is gone."""
    if job.status not in ("queued", "processing") or world.facts.quest_data(job.source_key) is not None:
        return
    if isinstance(source, QuestSource) and source.key == job.source_key:
        _fetch(world, draft, quest, world.name(job.campaign_uid), source)
    else:
        message = "its snapshot is gone and its source no longer has the same content"
        _block(world, draft, quest, "content-lost", message, "restore the file that was queued")


def _plan_update(world: World, draft: Draft, quest: Quest, campaign: str, job: JobRow) -> None:
    differences = []
    if quest.priority != job.priority:
        differences.append(f"priority {job.priority} → {quest.priority}")
    if quest.epochs != job.epochs:
        differences.append(f"epochs {job.epochs} → {quest.epochs}")
    if not differences:
        return
    draft.add(
        UpdateJob(
            job_uid=job.uid,
            quest_id=quest.id,
            campaign=campaign,
            priority=quest.priority,
            epochs=quest.epochs,
        ),
        subject=f"quest/{quest.id}",
        reason=", ".join(differences),
        cause=_where(world, quest),
        source="edit",
    )


def _enqueue(world: World, draft: Draft, quest: Quest, campaign: str, source: QuestSource) -> None:
    fetched = _fetch(world, draft, quest, campaign, source)
    if fetched is None:
        return
    draft.add(
        EnqueueJob(
            job_uid=job_uid(world.uid(campaign), quest.id),
            quest_id=quest.id,
            campaign=campaign,
            campaign_uid=world.uid(campaign),
            source_key=source.key,
            dataset_path=source.dataset_path,
            shape=source.shape,
            priority=quest.priority,
            epochs=quest.epochs,
        ),
        subject=f"quest/{quest.id}",
        reason=f"for {campaign}",
        cause=_where(world, quest),
        source="edit",
        needs=(*fetched, *draft.ids(RegisterCampaign)),
    )


def _fetch(
    world: World, draft: Draft, quest: Quest, campaign: str, source: QuestSource
) -> tuple[str, ...] | None:
    """Plan the fetch unless the content lies in the realm, or is fetched by this plan already.

    Returns what the content needs of this plan; None when it failed before and its next try is not due.
    """
    if world.facts.quest_data(source.key) is not None:
        return ()
    for change in draft.changes:
        if isinstance(change.action, SnapshotFile | GenerateQuest) and change.action.source_key == source.key:
            return (change.id,)
    if is_held_back(world, draft, source.fetch, campaign, _where(world, quest)):
        return None
    made = draft.add(
        source.fetch,
        subject=f"quest/{quest.id}",
        reason=_fetch_reason(world, source),
        cause=_where(world, quest),
        source="edit" if world.facts.known_data(source.key) is None else "drift",
    )
    return (made,)


def _fetch_reason(world: World, source: QuestSource) -> str:
    if world.facts.known_data(source.key) is not None:
        return "its snapshot is gone"
    if isinstance(source.fetch, SnapshotFile):
        rows = f"{source.fetch.num_rows:,} rows of {source.fetch.path}"
        return f"{rows}, {source.left_out}" if source.left_out else rows
    return f"made by skill {source.fetch.skill}"


def _plan_leavers(world: World, draft: Draft, wanted: set[str]) -> None:
    """Skip the unfinished jobs whose quest left the queue or went to another campaign."""
    names = {row.uid: row.name for row in world.facts.store.campaigns}
    ids = {quest.id for quest in world.desired.quests}
    done = {uid for name in names.values() for uid in jobs.finished_uids(world, draft, name)}
    for job in world.facts.store.jobs:
        if job.uid in wanted or job.uid in done:
            continue
        why = "its quest is for another campaign now" if job.quest_id in ids else "its quest left the queue"
        draft.add(
            DequeueJob(job_uid=job.uid, quest_id=job.quest_id, campaign=names[job.campaign_uid], why=why),
            subject=f"quest/{job.quest_id}",
            reason=why,
            cause=world.where("queue"),
            source="edit",
        )


def _where(world: World, quest: Quest) -> str:
    place = next(i for i, other in enumerate(world.desired.quests) if other.id == quest.id)
    return world.where("queue", "quests", place)


def _block(world: World, draft: Draft, quest: Quest, code: str, message: str, hint: str) -> None:
    draft.block(f"quest/{quest.id}", code=code, message=message, cause=_where(world, quest), hint=hint)
