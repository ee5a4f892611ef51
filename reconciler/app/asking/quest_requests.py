"""`skip` and `retry`: what a person asks about a quest, left in the store with who and why."""

from typing import Literal

from reconciler.app.asking.requests import Asked, leave_request
from reconciler.app.planning.in_force import layout_of, look_in_force
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, VerbError
from reconciler.app.surroundings.ground import not_found, store_of
from reconciler.app.surroundings.place import Options
from reconciler.desired.git_process import SourceError
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.plan.changes import WAITS
from state.ids import INBOX
from state.layout import Layout

QuestKind = Literal["skip", "retry"]
_AGAIN = "raise its epochs in specs/queue.yaml, or give its content a quest id of its own"
_DROPPED_AGAIN = (
    "name its file in specs/queue.yaml: it was dropped into the inbox, and a dropped file trains once"
)


def ask_about_quest(
    environment: Environment, options: Options, kind: QuestKind, quest: str, why: str | None
) -> tuple[Layout, Asked]:
    """Leave the request and wake the loop.

    Raises:
        NotFound: nothing was applied, or no such quest is known.
        Failed: every job of it is completed, or it has none yet; or the store cannot be written.
    """
    layout = layout_of(environment, options)
    name = quest.removeprefix("quest/")
    jobs = store_of(layout).jobs
    known = {job.quest_id for job in jobs}
    if name not in known:
        raise _without_a_job(environment, options, kind, name, known)
    mine = [job for job in jobs if job.quest_id == name]
    if all(job.status == "completed" for job in mine):
        is_dropped = all(job.dataset_path.startswith(f"{INBOX}/") for job in mine)
        again = _DROPPED_AGAIN if is_dropped else _AGAIN
        raise Failed(f"quest {name} is completed: there is nothing to {kind}; to train it again {again}")
    return layout, leave_request(environment, layout, kind, f"quest/{name}", why, quest=name)


def _without_a_job(
    environment: Environment, options: Options, kind: QuestKind, name: str, known: set[str]
) -> VerbError:
    """Return why a quest without a job cannot be asked about: what it waits for, or that it has no spec."""
    try:
        view = look_in_force(environment, options)
    except (SourceError, SpecMistakesError, VerbError):
        return not_found("quest", name, known)  # the root was named, and the specs say nothing more
    where = {quest.id: view.quest_where(place) for place, quest in enumerate(view.quests)}
    if name not in where:
        return not_found("quest", name, known | where.keys())
    said = f"quest {name} ({where[name]}) is not in the queue yet, so there is nothing to {kind}"
    item = next((item for item in view.plan.blocked if item.subject == f"quest/{name}"), None)
    if item is None:
        return Failed(f"{said}: the next reconcile apply puts it there")
    who = "it " if item.code == WAITS else ""  # the others say themselves what they are about
    return Failed(f"{said}: {who}{item.message}" + (f"; {item.hint}" if item.hint else ""))
