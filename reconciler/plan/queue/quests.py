"""The queue: each quest's content is fixed once, then trained once by each campaign that it is for."""

from reconciler.plan.draft import Draft
from reconciler.plan.queue import jobs
from reconciler.plan.queue.content import dequeue
from reconciler.plan.queue.quest_jobs import fail_what_is_lost, keep_out, plan_quest
from reconciler.plan.queue.twins import warn_of_twins
from reconciler.plan.queue.waiting import campaign_for, jobs_of_quest, say_what_it_waits_for
from reconciler.plan.suspensions import block_whole
from reconciler.plan.world import World

_OPEN = ("queued", "processing")


def plan_queue(world: World, draft: Draft) -> None:
    """Bring in the content of the active campaign's quests, and keep its jobs as the queue says."""
    if world.facts.snapshots.problem is not None or world.is_queue_suspended:
        _say_why_nothing_moves(world, draft)
        return
    wanted: set[str] = set()
    for quest in world.quests:
        draft.settle(f"quest/{quest.id}")
        campaign = campaign_for(world, quest)
        if campaign is None:
            wanted |= jobs_of_quest(world, quest)
            fail_what_is_lost(world, draft, quest)
            if not keep_out(world, draft, quest):
                say_what_it_waits_for(world, draft, quest)
        else:
            uid = world.uid(campaign)
            mine = {job.uid for job in world.facts.jobs_of_quest(quest.id) if job.campaign_uid == uid}
            wanted |= jobs_of_quest(world, quest) | mine
            plan_quest(world, draft, quest, campaign)
    _plan_leavers(world, draft, wanted)
    warn_of_twins(world, draft)


def _say_why_nothing_moves(world: World, draft: Draft) -> None:
    if (problem := world.facts.snapshots.problem) is not None:
        hint = "make the folder readable again"
        draft.block("queue", code="data-unreadable", message=problem, cause="data", hint=hint)
    queue = world.desired.queue
    block_whole(world, draft, "queue", queue.spec.suspend if queue is not None else None)


def _plan_leavers(world: World, draft: Draft, wanted: set[str]) -> None:
    """Skip the unfinished jobs whose quest left the queue or went to another campaign."""
    left = [job for job in world.facts.store.jobs if job.status in _OPEN and job.uid not in wanted]
    names = {job.campaign_uid: world.name(job.campaign_uid) for job in left}
    done = {uid for name in names.values() for uid in jobs.finished_uids(world, draft, name)}
    for job in left:
        if job.uid not in done and not world.stays_as_it_is(names[job.campaign_uid]):
            is_there = job.quest_id in world.quest_places
            why = "its quest is for another campaign now" if is_there else "its quest left the queue"
            dequeue(world, draft, job, names[job.campaign_uid], why)
