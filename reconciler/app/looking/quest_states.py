"""The state of each quest: one word, the same wherever it is shown."""

from reconciler.app.planning.look import View, world_of
from reconciler.desired.queue import Quest
from reconciler.plan.actions import EnqueueJob
from reconciler.plan.queue.quest_parts import current_parts
from reconciler.plan.queue.waiting import is_named, who_may_train
from state.amounts import count

_FURTHEST_FROM_DONE = ("processing", "queued", "failed", "skipped", "completed")
_CHANGED = "changed"
"""What a quest is in the plan whose content was edited: what was queued of it is trained as it was."""
_WORDS = {"quest-failed": "failed", "quest-skipped": "skipped", "quest-changed": _CHANGED}
"""What a quest that does not move is called when it is its own job that stands in the way, by code."""


def quest_states(view: View) -> dict[str, str]:
    """Return the state of every quest of the queue, by id.

    What is learnt is completed, and what is trained as it was queued has its job's status, also where its
    source has changed since. Else what the plan says comes first (blocked, failed, waits), then the jobs:
    where several campaigns train it, the one that has most to do; of the campaigns that it names, if it names
    some. `new`: it has none yet.
    """
    planned = _planned(view)
    return {quest.id: _state(_statuses(view, quest), planned.get(quest.id)) for quest in view.quests}


def _statuses(view: View, quest: Quest) -> set[str]:
    of_quest = view.facts.jobs_of_quest(quest.id)
    return {job.status for job in of_quest if not quest.for_ or is_named(quest, job)}


def still_asked(view: View, quest: Quest) -> str | None:
    """Return what the specs ask for beyond what was queued of a quest, in words; None: nothing.

    That is rows which the plan queues, and further epochs for a campaign that may train it: also where the
    plan holds them back, or plans them when that campaign has its turn.
    """
    queued = (change.action for change in view.plan.changes if isinstance(change.action, EnqueueJob))
    if new := next((action for action in queued if action.quest_id == quest.id), None):
        return f"{new.campaign} has more of it to learn"
    world = world_of(view)
    for name in who_may_train(world, quest):
        uid = world.uid(name)
        parts = current_parts(job for job in view.facts.jobs_of_quest(quest.id) if job.campaign_uid == uid)
        if learnt := next((job.epochs for job in parts if job.epochs < quest.epochs), None):
            return f"{name} learnt it for {count(learnt, 'epoch')} of the {quest.epochs} that are asked for"
    return None


def why_behind(view: View) -> dict[str, str]:
    """Return why quests wait behind all others: who skipped them, or how they failed twice."""
    waiting = (job for job in view.facts.store.jobs if job.status == "queued" and job.demoted)
    return {job.quest_id: f"behind all others: {job.last_error or 'it failed twice'}" for job in waiting}


def _planned(view: View) -> dict[str, str]:
    """Return what the plan says of quests that do not move; of several things the one that is wrong."""
    found = {}
    for item in sorted(view.plan.blocked, key=lambda item: not item.is_waiting):
        word = "waits" if item.is_waiting else _WORDS.get(item.code, "blocked")
        found[item.subject.removeprefix("quest/")] = word
    return found


def _state(statuses: set[str], planned: str | None) -> str:
    if planned == _CHANGED:
        planned = None if statuses & {"processing", "queued"} else "blocked"
    if planned is None or (planned == "blocked" and statuses == {"completed"}):
        return next((status for status in _FURTHEST_FROM_DONE if status in statuses), "new")
    return planned
