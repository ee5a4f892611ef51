"""What is known of the rows of quests that are about to be taken in: plan remembers, apply looks."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from reconciler.app.data_requests import campaigns_of, subject
from reconciler.app.environment import Environment
from reconciler.app.errors import Failed
from reconciler.app.inspecting import Inspector, as_far_as_installed
from reconciler.desired.queue import Quest
from reconciler.observed.facts import Facts
from reconciler.plan.actions import EnqueueJob, LaunchRun
from reconciler.plan.changes import Plan
from reconciler.plan.world import World
from state.contract.inspection import Inspection, InspectRequest
from state.layout import Layout

Look = Callable[[InspectRequest, str], Inspection | None]
"""Request, digest of the file's bytes → what was found; None: it is not known."""


class Gate:
    """Looks through each new content once, before it is taken in."""

    def __init__(self, environment: Environment, tell: Callable[[str], None]) -> None:
        self._inspector = Inspector(environment)
        self._tell = tell
        self._given_up: set[str] = set()

    def look(self, request: InspectRequest, digest: str) -> Inspection | None:
        """Return what is in a file; None where the trainer's libraries are not here, or it cannot be said.

        Then training itself finds what is wrong.
        """
        _, missing = as_far_as_installed(request)
        if missing or digest in self._given_up:
            return None
        try:
            if (known := self._inspector.known_as_deep(request, digest)) is not None:
                return known
            self._tell(f"looking through {request.path}")
            return self._inspector.inspect(request, digest)
        except Failed as error:
            self._given_up.add(digest)
            self._tell(f"{error}; its rows are taken in unseen")
            return None


def with_known_data(world: World, layout: Layout, look: Look) -> Facts:
    """Return the facts with what is known of the contents that the active campaign would take in now."""
    known = _looked_up(world, layout, _about_to_be_taken_in(world), look)
    return msgspec.structs.replace(world.facts, inspections=known) if known else world.facts


def known_of_queue(world: World, layout: Layout, plan: Plan, look: Look) -> Mapping[str, Inspection]:
    """Return quest id → what is known of the content that the active campaign has to train by this plan.

    Nothing is looked up for a plan that neither queues nor launches anything.
    """
    queued = {change.action.quest_id for change in plan.changes if isinstance(change.action, EnqueueJob)}
    if not queued and not any(isinstance(change.action, LaunchRun) for change in plan.changes):
        return {}
    mine = world.facts.jobs_of(world.uid(world.active or ""))
    queued |= {job.quest_id for job in mine if job.status in ("queued", "processing")}
    wanted = [quest for quest in world.quests if quest.id in queued]
    return {**_looked_up(world, layout, wanted, look), **world.facts.inspections}


def _about_to_be_taken_in(world: World) -> Iterator[Quest]:
    """Yield the quests of the active campaign whose file has rows that no job has."""
    if world.is_queue_suspended:
        return
    for quest in world.desired.quests:
        seen = world.facts.quest_files.get(quest.id)
        if seen is None or seen.content is None or world.active not in campaigns_of(world.desired, quest):
            continue
        taken = {job.digest for job in world.facts.jobs_of_quest(quest.id)}
        nothing_new = any(one.new is None for one in seen.continued)
        if seen.content.digest not in taken and not nothing_new:
            yield quest


def _looked_up(world: World, layout: Layout, quests: Iterable[Quest], look: Look) -> dict[str, Inspection]:
    found = {}
    for quest in quests:
        asked = subject(world, layout, quest, world.active, "standard")
        if asked.request is not None and asked.content.digest is not None and asked.no_tokens is None:
            found[quest.id] = look(asked.request, asked.content.digest)
    return {name: one for name, one in found.items() if one is not None}
