"""`skip` and `retry`: what a person asks about a quest, left in the store with who and why."""

from typing import Literal

from reconciler.app.asking.requests import Asked, leave_request
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed
from reconciler.app.surroundings.ground import not_found, store_of
from reconciler.app.surroundings.place import Options
from state.layout import Layout

QuestKind = Literal["skip", "retry"]


def ask_about_quest(
    environment: Environment, options: Options, kind: QuestKind, quest: str, why: str | None
) -> tuple[Layout, Asked]:
    """Leave the request and wake the loop.

    Raises:
        NotFound: nothing was applied, or no job of such a quest is known.
        Failed: every job of it is completed; or the store cannot be written.
    """
    layout = layout_of(environment, options)
    name = quest.removeprefix("quest/")
    jobs = store_of(layout).jobs
    known = {job.quest_id for job in jobs}
    if name not in known:
        raise not_found("quest", name, known)
    if all(job.status == "completed" for job in jobs if job.quest_id == name):
        raise Failed(
            f"quest {name} is completed: there is nothing to {kind}; to train it again raise its epochs in "
            "specs/queue.yaml, or give its content a quest id of its own"
        )
    return layout, leave_request(environment, layout, kind, f"quest/{name}", why, quest=name)
