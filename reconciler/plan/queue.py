"""The queue: each quest's content is fixed once, then trained once by each campaign that it is for."""

from collections.abc import Sequence

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
from reconciler.plan.quest_parts import current_parts, growth, is_unchanged, source_of_part
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
            uid = world.uid(campaign)
            mine = {job.uid for job in world.facts.jobs_of_quest(quest.id) if job.campaign_uid == uid}
            wanted |= _jobs_named_by(world, quest) | mine
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
        job.uid
        for job in world.facts.jobs_of_quest(quest.id)
        if f"{job.hero_id}/{job.campaign_id}" in quest.for_ or job.hero_id in quest.for_
    }
    return named | _jobs_begun(world, quest)


def _say_what_it_waits_for(world: World, draft: Draft, quest: Quest) -> None:
    if _is_finished(world, quest):
        return
    begun_by = _started_elsewhere(world, quest, None)
    if not quest.for_ and begun_by and begun_by not in world.desired.campaigns:
        draft.block(
            f"quest/{quest.id}",
            code="owner-gone",
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
    mine = [job for job in world.facts.jobs_of_quest(quest.id) if job.status != "skipped"]
    open_ = {job.campaign_uid for job in mine if job.status != "completed" or job.epochs < quest.epochs}
    done = {job.campaign_uid for job in mine} - open_
    named = {world.uid(who) for who in quest.for_ if "/" in who}
    heroes = {who for who in quest.for_ if "/" not in who}
    heroes_done = {job.hero_id for job in mine if job.campaign_uid in done}
    return bool(done) and named <= done and heroes <= heroes_done


def _plan_quest(world: World, draft: Draft, quest: Quest, campaign: str) -> None:
    uid = world.uid(campaign)
    parts = current_parts(job for job in world.facts.jobs_of_quest(quest.id) if job.campaign_uid == uid)
    source = quest_source(world, quest)
    if not parts or _is_fresh(world, campaign, parts, source):
        _plan_first(world, draft, quest, campaign, source)
    elif isinstance(source, NoSource) or is_unchanged(world, quest, parts, source):
        _plan_parts(world, draft, quest, campaign, parts, source)
    else:
        _plan_edit(world, draft, quest, campaign, parts, source)


def _is_fresh(world: World, campaign: str, parts: Sequence[JobRow], source: QuestSource | NoSource) -> bool:
    """Was nothing of it learnt and is nothing waiting, so that any other content may be its first?"""
    first = parts[0]
    is_over = (first.status == "skipped" and not first.demoted) or _is_forgiven(world, campaign, first)
    learnt = first.start_step is not None or jobs.cursor_of(world, campaign, first) is not None
    same = isinstance(source, QuestSource) and source.key == first.source_key
    return is_over and not learnt and not same and len(parts) == 1 and first.part == 1


def _plan_first(
    world: World, draft: Draft, quest: Quest, campaign: str, source: QuestSource | NoSource
) -> None:
    if isinstance(source, NoSource):
        _block(world, draft, quest, source.code, source.message, source.hint)
    else:
        _enqueue(world, draft, quest, campaign, source)


def _plan_parts(
    world: World,
    draft: Draft,
    quest: Quest,
    campaign: str,
    parts: Sequence[JobRow],
    source: QuestSource | NoSource,
) -> None:
    """Keep the jobs of a content that is what it was; take in what came behind it."""
    _say_what_is_wrong_with_the_source(world, draft, quest, source)
    for job in parts:
        _plan_part(world, draft, quest, campaign, parts, job, source)
    if isinstance(source, QuestSource) and all(job.status != "failed" for job in parts):
        new = growth(world, quest, parts, source)
        if new is not None:
            _enqueue(world, draft, quest, campaign, new, part=parts[-1].part + 1, follows=True)


def _say_what_is_wrong_with_the_source(
    world: World, draft: Draft, quest: Quest, source: QuestSource | NoSource
) -> None:
    """Name a file that is another one than its digest in the spec, or that cannot be read any more."""
    seen = world.facts.quest_files.get(quest.id)
    is_there = seen is not None and seen.path is not None
    if isinstance(source, NoSource) and (
        source.code == "quest-sha256" or (source.code == "quest-file" and is_there)
    ):
        if quest.on_edit == "ignore" and source.code != "quest-sha256":
            return
        _block(world, draft, quest, source.code, source.message, source.hint)


def _plan_part(
    world: World,
    draft: Draft,
    quest: Quest,
    campaign: str,
    parts: Sequence[JobRow],
    job: JobRow,
    source: QuestSource | NoSource,
) -> None:
    again = source_of_part(world, quest, parts, job, source) if isinstance(source, QuestSource) else None
    if job.status == "skipped" and job.demoted:
        hint = f"reconcile retry {quest.id}"
        _block(world, draft, quest, "quest-skipped", job.last_error or "skipped", hint)
        return
    if job.status == "skipped" or _is_forgiven(world, campaign, job):
        if again is not None:
            _enqueue(world, draft, quest, campaign, again, part=job.part, follows=job.follows)
        elif isinstance(source, NoSource):
            _block(world, draft, quest, source.code, source.message, source.hint)
        return
    if job.status == "failed":
        hint = f"mend it, then reconcile retry {quest.id}"
        _block(world, draft, quest, "quest-failed", job.last_error or "failed", hint)
    if _keep_content(world, draft, quest, campaign, job, again, source):
        _plan_update(world, draft, quest, campaign, job)


def _plan_edit(
    world: World, draft: Draft, quest: Quest, campaign: str, parts: Sequence[JobRow], source: QuestSource
) -> None:
    """Do what the quest says about a content that is another one than what was taken in."""
    if quest.on_edit == "retrain":
        for job in parts:
            if job.status in ("queued", "processing"):
                _dequeue(world, draft, job, campaign, "its content was edited; the new content is trained")
        _enqueue(world, draft, quest, campaign, source, part=parts[-1].part + 1)
        return
    returning = [job for job in parts if job.status == "skipped" or _is_forgiven(world, campaign, job)]
    if quest.on_edit == "refuse":
        message = (
            "something of it was trained before, with other content or read in another way"
            if returning
            else "its content changed after it was queued; what was queued is what is trained"
        )
        hint = "give the new content a quest id of its own, or say on_edit: retrain or ignore"
        _block(world, draft, quest, "quest-changed", message, hint)
    for job in parts:
        if job not in returning:
            _plan_part(world, draft, quest, campaign, parts, job, source)


def _is_forgiven(world: World, campaign: str, job: JobRow) -> bool:
    row = world.facts.campaign_row(campaign)
    forgiven_at = world.forgiven_at(row) if row else None
    return job.status == "failed" and is_forgiven(job.finished_at or "", forgiven_at, world.now)


def _keep_content(
    world: World,
    draft: Draft,
    quest: Quest,
    campaign: str,
    job: JobRow,
    again: QuestSource | None,
    source: QuestSource | NoSource,
) -> bool:
    """Bring back the content of an unfinished job whose snapshot is gone; fail the job when nobody has it."""
    if job.status not in ("queued", "processing") or world.facts.quest_data(job.source_key) is not None:
        return True
    if again is not None:
        _fetch(world, draft, quest, campaign, again)
        return True
    if isinstance(source, NoSource) and source.code not in ("quest-file", "quest-sha256"):
        _block(world, draft, quest, source.code, source.message, source.hint)
        return True
    reason = "its snapshot is gone and its source no longer has the same content"
    jobs.fail(draft, campaign, job, reason)
    return False


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


def _enqueue(
    world: World,
    draft: Draft,
    quest: Quest,
    campaign: str,
    source: QuestSource,
    *,
    part: int = 1,
    follows: bool = False,
) -> None:
    fetched = _fetch(world, draft, quest, campaign, source)
    if fetched is None:
        return
    uid = world.uid(campaign)
    draft.add(
        EnqueueJob(
            job_uid=job_uid(uid, quest.id, part),
            quest_id=quest.id,
            campaign=campaign,
            campaign_uid=uid,
            source_key=source.key,
            dataset_path=source.dataset_path,
            shape=source.shape,
            priority=quest.priority,
            epochs=quest.epochs,
            part=part,
            follows=follows,
        ),
        subject=f"quest/{quest.id}",
        reason=f"for {campaign}{_which_part(part, follows=follows)}",
        cause=_where(world, quest),
        source="edit",
        needs=(*fetched, *draft.ids(RegisterCampaign)),
    )


def _which_part(part: int, *, follows: bool) -> str:
    if part == 1:
        return ""
    return ": the new rows alone" if follows else ": the edited content as a whole"


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
        new = "new " if source.fetch.start_byte else ""
        rows = f"{source.fetch.num_rows:,} {new}rows of {source.fetch.path}"
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
        _dequeue(world, draft, job, names[job.campaign_uid], why)


def _dequeue(world: World, draft: Draft, job: JobRow, campaign: str, why: str) -> None:
    draft.add(
        DequeueJob(job_uid=job.uid, quest_id=job.quest_id, campaign=campaign, why=why),
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
