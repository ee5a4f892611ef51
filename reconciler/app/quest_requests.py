"""`skip` and `retry`: what a person asks about a quest, left in the store with who and why."""

from typing import Literal

from reconciler.app.environment import Environment
from reconciler.app.ground import not_found, store_of
from reconciler.app.in_force import layout_of
from reconciler.app.place import Options
from reconciler.app.requests import Asked, leave_request
from state.layout import Layout

QuestKind = Literal["skip", "retry"]


def ask_about_quest(
    environment: Environment, options: Options, kind: QuestKind, quest: str, why: str | None
) -> tuple[Layout, Asked]:
    """Leave the request and wake the loop.

    Raises:
        NotFound: nothing was applied, or no job of such a quest is known.
        Failed: the store cannot be written.
    """
    layout = layout_of(environment, options)
    name = quest.removeprefix("quest/")
    known = {job.quest_id for job in store_of(layout).jobs}
    if name not in known:
        raise not_found("quest", name, known)
    return layout, leave_request(environment, layout, kind, f"quest/{name}", why, quest=name)
