"""How deep the queue is: how many jobs wait or are trained, and whether that is enough. Never an error."""

from collections import Counter

from reconciler.app.looking.items import QueueItem
from reconciler.app.planning.look import View
from reconciler.desired.queue import Queue
from reconciler.plan.world import World
from state.amounts import count

HEALTHY, LOW, SUSPENDED = "healthy", "low", "suspended"
_OPEN = ("queued", "processing")


def queue_item(view: View) -> QueueItem:
    """Return the queue as one thing: its jobs by status, and how it is in a word and a sentence.

    What waits in the trash with its campaign is nothing to do, unless that is taken back.
    """
    source = view.desired.queue
    spec = source.spec if source else Queue()
    deleted = {row.uid for row in view.facts.store.campaigns if row.status == "deleted"}
    jobs = (job for job in view.facts.store.jobs if not (job.campaign_uid in deleted and job.status in _OPEN))
    numbers = Counter(job.status for job in jobs)
    state, reason = _health(view, numbers["queued"] + numbers["processing"], spec.healthy_depth)
    return QueueItem(
        id="queue",
        state=state,
        reason=reason,
        healthy_depth=spec.healthy_depth,
        num_queued=numbers["queued"],
        num_processing=numbers["processing"],
        num_completed=numbers["completed"],
        num_failed=numbers["failed"],
        num_skipped=numbers["skipped"],
        spec=source.path if source else None,
    )


def _health(view: View, depth: int, wanted: int) -> tuple[str, str]:
    world = World(desired=view.desired, facts=view.facts, specs_commit=view.commit.id, now=view.seen_at)
    suspend = view.desired.queue.spec.suspend if view.desired.queue else None
    to_do = f"{count(depth, 'job')} to do"
    if suspend is not None and world.is_suspended(suspend):
        return SUSPENDED, f"{suspend.words}; {to_do}"
    if depth < wanted:
        return LOW, f"{to_do}, below healthy_depth {wanted:,}: add quests, or lower it"
    return HEALTHY, to_do


def queue(view: View) -> tuple[QueueItem, ...]:
    """Return the one queue, for `get`."""
    return (queue_item(view),)
