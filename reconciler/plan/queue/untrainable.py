"""Jobs whose rows the campaign's next run would refuse, since its settings changed after they came. Pure."""

from reconciler.desired.queue import Quest
from reconciler.plan.actions import StopRun
from reconciler.plan.draft import Draft
from reconciler.plan.queue.content import block
from reconciler.plan.queue.quest_sources import said
from reconciler.plan.world import World
from state.store.rows import JobRow


def barred(world: World, draft: Draft, campaign: str) -> frozenset[str]:
    """Return the jobs that wait until settings or rows are other ones.

    What a run has in its orders that goes on as it was launched, it trains.
    """
    if not world.facts.untrainable_jobs:
        return frozenset()
    stopping = {action.key for action in draft.actions(StopRun)}
    staying = (one for one in world.live_runs() if one.campaign == campaign and one.key not in stopping)
    orders = (one.seen.orders for one in staying if one.seen is not None and one.seen.orders is not None)
    ordered = {quest.job_uid for one in orders for quest in one.quests}
    return frozenset(world.facts.untrainable_jobs.keys() - ordered)


def block_barred(world: World, draft: Draft, quest: Quest, campaign: str, job: JobRow) -> None:
    """Name the rows that a job waits for, if it does."""
    if job.uid not in barred(world, draft, campaign):
        return
    name = quest.file or f"what skill {quest.skill} made"
    message = f"{name}: {said(world.facts.untrainable_jobs[job.uid])}"
    hint = "undo what changed since it was taken in, and it goes on by itself; all: reconcile validate --data"
    block(world, draft, quest, "quest-rows", message, hint)
