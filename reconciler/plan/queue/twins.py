"""The same rows under two quest ids: the plan that enqueues the second says so. Pure."""

from collections.abc import Iterator

from reconciler.plan.actions import EnqueueJob
from reconciler.plan.draft import Draft
from reconciler.plan.world import World

_Rows = tuple[str, str]
"""A campaign's uid, and the key of a content as it is read."""


def warn_of_twins(world: World, draft: Draft) -> None:
    """Name each job to be made whose content the same campaign trains, or has trained, as another quest."""
    new = list(draft.actions(EnqueueJob))
    known = _first_of_each(world, {(job.campaign_uid, job.source_key) for job in new})
    for job in new:
        quest, what = known.setdefault((job.campaign_uid, job.source_key), (job.quest_id, "is to train"))
        if quest != job.quest_id:
            draft.warnings.append(
                f"{world.quest_where(job.quest_id)}: quest {job.quest_id} has the content of quest {quest}, "
                f"which {job.campaign} {what}: its rows are trained twice; if that is not meant, remove it, "
                f"or raise the epochs of {quest} instead"
            )


def _first_of_each(world: World, wanted: set[_Rows]) -> dict[_Rows, tuple[str, str]]:
    """Return which quest has each content already, and what became of it."""
    found: dict[_Rows, tuple[str, str]] = {}
    for rows, quest, what in _known(world) if wanted else ():
        if rows in wanted:
            found.setdefault(rows, (quest, what))
    return found


def _known(world: World) -> Iterator[tuple[_Rows, str, str]]:
    """Yield what was trained, or waits in the queue; not what left it before anything was learnt."""
    for job in world.facts.store.jobs:
        rows = (job.campaign_uid, job.source_key)
        if job.status == "completed":
            yield rows, job.quest_id, "has trained"
        elif job.status == "processing" or (job.status == "queued" and job.quest_id in world.quest_places):
            yield rows, job.quest_id, "trains"
