"""What the active campaign's next run would refuse of the rows that lie in the realm and are to be trained.

They were looked through as they came. Since then `max_length`, template or model may have changed, and a run
that meets one row that it cannot train refuses them all.
"""

from collections.abc import Iterator, Sequence

import msgspec

from reconciler.app.data.data_requests import QuestContent, Subjects
from reconciler.app.data.inspecting import Asked
from reconciler.app.data.known_data import Look
from reconciler.desired.queue import Quest
from reconciler.plan.queue.quest_parts import current_parts
from reconciler.plan.queue.quest_sources import contracts_of, contracts_of_inbox
from reconciler.plan.world import World
from state.contract.contents import Finding
from state.contract.inspection import OF_TRAINING, Inspection
from state.contract.orders import RowShape
from state.contract.row_contracts import MESSAGES, RowContract
from state.layout import Layout
from state.store.rows import JobRow

_OPEN = ("queued", "processing")


def with_untrainable_jobs(world: World, layout: Layout, look: Look) -> World:
    """Return the world with what is known to be wrong with the rows of jobs that are to be trained."""
    asked = dict(_asked(world, layout))
    found = dict(zip(asked, look(list(asked.values())), strict=True)) if asked else {}
    wrong = {uid: errors for uid, one in found.items() if one is not None and (errors := _refused(one))}
    if not wrong:
        return world
    facts = msgspec.structs.replace(world.facts, untrainable_jobs=wrong)
    return msgspec.structs.replace(world, facts=facts)


def _refused(found: Inspection) -> tuple[Finding, ...]:
    """Return which rows a run would refuse; what nobody could look through, it looks through itself."""
    return tuple(one for one in found.findings if one.is_error and one.check in OF_TRAINING)


def _asked(world: World, layout: Layout) -> Iterator[tuple[str, Asked]]:
    """Yield the jobs that are to be trained, each with the question about its rows."""
    if world.active is None or world.is_queue_suspended or world.is_realm_suspended:
        return
    subjects, uid = Subjects(world, layout, "standard"), world.uid(world.active)
    quests = {quest.id: quest for quest in world.quests} if world.facts.jobs_of(uid) else {}
    for quest in quests.values():
        parts = current_parts(job for job in world.facts.jobs_of_quest(quest.id) if job.campaign_uid == uid)
        for job in parts:
            if job.status in _OPEN or (job.status == "completed" and quest.epochs > job.epochs):
                content = _content(world, layout, quest, parts, job)
                one = subjects.of(quest, world.active, content)
                if one.request is not None and one.no_tokens is None:
                    yield job.uid, (one.request, str(content.digest))


def _content(
    world: World, layout: Layout, quest: Quest, parts: Sequence[JobRow], job: JobRow
) -> QuestContent:
    """Return where a job's rows lie: in the file as it was looked through, while that is still the same."""
    shape = msgspec.json.decode(job.shape_json, type=RowShape)
    seen, start = world.facts.quest_files.get(quest.id), _start_in_the_file(world, quest, parts, job)
    is_read_so = seen is not None and seen.content is not None and seen.content.contract.shape == shape
    if seen is not None and is_read_so and start is not None:
        contracts = contracts_of(world.desired, quest)
        return QuestContent(path=seen.path, digest=seen.sha256, contracts=contracts, start_byte=start)
    if world.facts.quest_data(job.source_key) is None:
        return QuestContent()
    path = str(layout.snapshot(job.digest))
    return QuestContent(path=path, digest=job.digest, contracts=_contracts(world, quest, shape))


def _start_in_the_file(world: World, quest: Quest, parts: Sequence[JobRow], job: JobRow) -> int | None:
    """Return where a job's rows begin in the quest's file, if they are the last and nothing came behind."""
    seen, digests = world.facts.quest_files.get(quest.id), tuple(one.digest for one in parts)
    same = next((one for one in seen.continued if one.parts == digests), None) if seen is not None else None
    if same is None or same.new is not None or job != parts[-1]:
        return None
    return same.starts[len(parts) - 1] if len(parts) > 1 else 0


def _contracts(world: World, quest: Quest, shape: RowShape) -> tuple[RowContract, ...]:
    """Return what rows of this shape were looked through as when they came, if that still reads them so."""
    if quest.skill is not None:
        known: tuple[RowContract, ...] = (MESSAGES,)
    elif quest.id in world.dropped:
        known = contracts_of_inbox(world.desired)
    else:
        known = contracts_of(world.desired, quest)
    return known if any(one.shape == shape for one in known) else (RowContract(name=shape.kind, shape=shape),)
