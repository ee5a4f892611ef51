"""What work waits for that has no content in the realm yet. Pure."""

from collections.abc import Sequence

from reconciler.plan.actions import EnqueueJob
from reconciler.plan.draft import Draft
from reconciler.plan.queue.jobs import PendingJob
from reconciler.plan.retries.fetches import FETCHES
from reconciler.plan.world import World


def brought_in(world: World, draft: Draft, work: Sequence[PendingJob]) -> tuple[str, ...]:
    """Return the changes that bring work in, of which one must succeed so that there is any; else none.

    A job whose content lies in the realm can be trained whatever becomes of the others.
    """
    enqueued, fetched = {}, {}
    for change in draft.changes:
        if isinstance(change.action, EnqueueJob):
            enqueued[change.action.job_uid] = change.id
        elif isinstance(change.action, FETCHES):
            fetched[change.action.source_key] = change.id
    found = [enqueued.get(job.uid) or fetched.get(_missing_content(world, job)) for job in work]
    ids = tuple(dict.fromkeys(one for one in found if one is not None))
    return ids if None not in found else ()


def _missing_content(world: World, job: PendingJob) -> str:
    """Return the source whose content a queued job lacks; nothing when it lies there."""
    known = world.facts.job(job.uid)
    if known is None or world.facts.quest_data(known.source_key) is not None:
        return ""
    return known.source_key
