"""Into the queue and out of it: a quest's job, and before it the content that it trains."""

from reconciler.desired.queue import Quest
from reconciler.plan.actions import DequeueJob, EnqueueJob, GenerateQuest, RegisterCampaign, SnapshotFile
from reconciler.plan.draft import Draft
from reconciler.plan.queue.quest_sources import NoSource, QuestSource
from reconciler.plan.retries.fetches import FETCHES, is_held_back
from reconciler.plan.world import World
from state.amounts import count
from state.ids import job_uid
from state.store.rows import JobRow


def enqueue(
    world: World,
    draft: Draft,
    quest: Quest,
    campaign: str,
    source: QuestSource,
    *,
    part: int = 1,
    follows: bool = False,
) -> None:
    """Plan the job of a part of a quest, and before it what brings in its content."""
    fetched = fetch(world, draft, quest, campaign, source)
    if fetched is None:
        return
    uid = world.uid(campaign)
    draft.add(
        EnqueueJob(
            job_uid=job_uid(uid, quest.id, part),
            quest_id=quest.id,
            campaign=campaign,
            campaign_uid=uid,
            source_key=source.key,
            dataset_path=source.dataset_path,
            shape=source.shape,
            priority=quest.priority,
            epochs=quest.epochs,
            part=part,
            follows=follows,
        ),
        subject=f"quest/{quest.id}",
        reason=f"for {campaign}{_which_part(part, follows=follows)}",
        cause=world.quest_where(quest.id),
        source="request" if quest.id in world.dropped else "edit",
        needs=(*fetched, *draft.ids_of((campaign,), RegisterCampaign)),
    )


def _which_part(part: int, *, follows: bool) -> str:
    if part == 1:
        return ""
    return ": the new rows alone" if follows else ": the edited content as a whole"


def fetch(
    world: World, draft: Draft, quest: Quest, campaign: str, source: QuestSource
) -> tuple[str, ...] | None:
    """Plan the fetch unless the content lies in the realm, or is fetched by this plan already.

    Returns what the content needs of this plan; None when it failed before and its next try is not due.
    """
    if world.facts.quest_data(source.key) is not None:
        return ()
    for change in draft.changes:
        if isinstance(change.action, FETCHES) and change.action.source_key == source.key:
            return (change.id,)
    if source.fetch is None:
        return None  # a dropped file that cannot be taken in now; `inbox` says why
    if is_held_back(world, draft, source.fetch, campaign, world.quest_where(quest.id)):
        return None
    made = draft.add(
        source.fetch,
        subject=f"quest/{quest.id}",
        reason=_fetch_reason(world, source.fetch, source),
        cause=world.quest_where(quest.id),
        source="edit" if world.facts.known_data(source.key) is None else "drift",
    )
    return (made,)


def _fetch_reason(world: World, fetch: SnapshotFile | GenerateQuest, source: QuestSource) -> str:
    if world.facts.known_data(source.key) is not None:
        return "its snapshot is gone"
    if isinstance(fetch, GenerateQuest):
        return f"made by skill {fetch.skill}"
    noun = "new row" if fetch.start_byte else "row"
    rows = f"{count(fetch.num_rows, noun)} of {fetch.path}"
    return f"{rows}, {source.left_out}" if source.left_out else rows


def block(world: World, draft: Draft, quest: Quest, code: str, message: str, hint: str) -> None:
    """Say what is in the way of a quest."""
    draft.block(f"quest/{quest.id}", code=code, message=message, cause=world.quest_where(quest.id), hint=hint)


def block_source(world: World, draft: Draft, quest: Quest, source: NoSource) -> None:
    """Say why the content of a quest cannot be had."""
    draft.block(
        f"quest/{quest.id}",
        code=source.code,
        message=source.message,
        cause=world.quest_where(quest.id),
        hint=source.hint,
        until=source.until,
    )


def dequeue(world: World, draft: Draft, job: JobRow, campaign: str, why: str) -> None:
    """Plan that a job is no longer trained."""
    draft.add(
        DequeueJob(job_uid=job.uid, quest_id=job.quest_id, campaign=campaign, why=why),
        subject=f"quest/{job.quest_id}",
        reason=why,
        cause=world.where("queue"),
        source="edit",
    )
