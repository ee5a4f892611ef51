"""What work waits for: content that is not in the realm yet, further epochs of what is learnt. Pure."""

from collections.abc import Sequence

from reconciler.plan.actions import EnqueueJob, UpdateJob
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


def further_epochs(world: World, draft: Draft, work: Sequence[PendingJob]) -> tuple[str, ...]:
    """Return the changes that give jobs other epochs than they had: orders are composed of what they have."""
    uids = {job.uid for job in work}
    return tuple(
        change.id
        for change in draft.changes
        if isinstance(change.action, UpdateJob)
        and change.action.job_uid in uids
        and (known := world.facts.job(change.action.job_uid)) is not None
        and known.epochs != change.action.epochs
    )


def woken(world: World, draft: Draft, work: Sequence[PendingJob]) -> tuple[str, ...]:
    """Return the changes without which a job of the work is learnt already: a trainer finds nothing to do."""
    learnt = [
        job for job in work if (known := world.facts.job(job.uid)) is not None and known.status == "completed"
    ]
    return further_epochs(world, draft, learnt)


def _missing_content(world: World, job: PendingJob) -> str:
    """Return the source whose content a queued job lacks; nothing when it lies there."""
    known = world.facts.job(job.uid)
    if known is None or world.facts.quest_data(known.source_key) is not None:
        return ""
    return known.source_key
