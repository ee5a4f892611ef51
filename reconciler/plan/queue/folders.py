"""The folders of `queue/` show the jobs again. What else this plan does is followed by that anyway."""

from reconciler.plan.actions import WriteQueueFolders
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.queue_folders import queue_changes

_CAUSE = "queue/"


def plan_queue_folders(world: World, draft: Draft) -> None:
    """Put right what differs in the folders, unless they are written after the changes of this plan."""
    found = world.facts.queue_folders
    is_blocked = any(one.path.split("/")[0] == _CAUSE[:-1] for one in world.facts.obstacles)
    if found is None or draft.changes or is_blocked:
        return
    if found.problem is not None:
        hint = "make the folder readable, or move it away"
        draft.block("queue", code="queue-unreadable", message=found.problem, cause=_CAUSE, hint=hint)
        return
    jobs = world.facts.store.jobs
    names = queue_changes(jobs, found, lambda: {job.id for job in jobs}).names
    if names:
        more = f" and {len(names) - 1:,} more differ" if len(names) > 1 else " differs"
        draft.add(
            WriteQueueFolders(),
            subject="queue",
            reason=f"{names[0]}{more} from the jobs",
            cause=_CAUSE,
            source="drift",
        )
