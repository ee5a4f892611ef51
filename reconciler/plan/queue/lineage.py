"""Sidecars that are no evidence of where a quest's rows come from, told while something is to be learnt."""

from reconciler.desired.queue import Quest
from reconciler.plan.actions import EnqueueJob
from reconciler.plan.draft import Draft
from reconciler.plan.queue.waiting import is_finished
from reconciler.plan.world import World


def plan_lineage(world: World, draft: Draft) -> None:
    """Warn of sidecars that cannot be read, or are about other rows than the file has."""
    for quest in world.desired.quests:
        seen = world.facts.quest_files.get(quest.id)
        problem = seen.lineage_problem if seen is not None else None
        if problem is not None and _is_to_be_learnt(world, draft, quest):
            draft.warnings.append(f"{world.quest_where(quest.id)}: quest {quest.id}: {problem}")


def _is_to_be_learnt(world: World, draft: Draft, quest: Quest) -> bool:
    queued = any(action.quest_id == quest.id for action in draft.actions(EnqueueJob))
    return queued or not is_finished(world, quest)
