"""The jobs of one quest in the campaign whose turn it is: the first one, its growth, an edit."""

from collections.abc import Sequence

import msgspec

from reconciler.desired.queue import Quest
from reconciler.plan.actions import SnapshotFile, UpdateJob
from reconciler.plan.draft import Draft
from reconciler.plan.queue import jobs
from reconciler.plan.queue.content import block, block_source, dequeue, enqueue, fetch
from reconciler.plan.queue.quest_parts import (
    current_parts,
    growth,
    held_out_growth,
    is_unchanged,
    source_of_part,
)
from reconciler.plan.queue.quest_sources import NoSource, QuestSource, quest_source, why_gone
from reconciler.plan.queue.untrainable import block_barred
from reconciler.plan.retries.retry import is_forgiven
from reconciler.plan.world import World
from state.amounts import count
from state.contract.orders import RowShape, reading
from state.store.rows import JobRow


def plan_quest(world: World, draft: Draft, quest: Quest, campaign: str) -> None:
    uid = world.uid(campaign)
    parts = current_parts(job for job in world.facts.jobs_of_quest(quest.id) if job.campaign_uid == uid)
    source = quest_source(world, quest)
    if not parts or _is_fresh(world, campaign, parts, source):
        _plan_first(world, draft, quest, campaign, source)
    elif isinstance(source, NoSource) or is_unchanged(world, quest, parts, source):
        _plan_parts(world, draft, quest, campaign, parts, source)
    else:
        _plan_edit(world, draft, quest, campaign, parts, source)


def keep_out(world: World, draft: Draft, quest: Quest) -> bool:
    """Say why a quest that waits, and was never taken in, cannot be had: before its turn comes."""
    if world.facts.jobs_of_quest(quest.id):
        return False
    source = quest_source(world, quest)
    if not isinstance(source, NoSource) or source.comes_later:
        return False
    block_source(world, draft, quest, source)
    return True


def _is_fresh(world: World, campaign: str, parts: Sequence[JobRow], source: QuestSource | NoSource) -> bool:
    """Was nothing of it learnt and is nothing waiting, so that any other content may be its first?"""
    first = parts[0]
    is_over = (first.status == "skipped" and not first.demoted) or _is_forgiven(world, campaign, first)
    learnt = first.start_step is not None or jobs.cursor_of(world, campaign, first) is not None
    same = isinstance(source, QuestSource) and source.key == first.source_key
    return is_over and not learnt and not same and len(parts) == 1 and first.part == 1


def _plan_first(
    world: World, draft: Draft, quest: Quest, campaign: str, source: QuestSource | NoSource
) -> None:
    if isinstance(source, NoSource):
        block_source(world, draft, quest, source)
    else:
        enqueue(world, draft, quest, campaign, source)


def _plan_parts(
    world: World,
    draft: Draft,
    quest: Quest,
    campaign: str,
    parts: Sequence[JobRow],
    source: QuestSource | NoSource,
) -> None:
    """Keep the jobs of a content that is what it was; take in what came behind it."""
    _say_what_is_wrong_with_the_source(world, draft, quest, source)
    for job in parts:
        _plan_part(world, draft, quest, campaign, parts, job, source)
    if isinstance(source, QuestSource) and all(job.status != "failed" for job in parts):
        new = growth(world, quest, parts, source)
        if new is not None:
            enqueue(world, draft, quest, campaign, new, part=parts[-1].part + 1, follows=True)
        elif why := held_out_growth(world, quest, parts, source):
            draft.warnings.append(f"{world.quest_where(quest.id)}: quest {quest.id} has {why}")


def _say_what_is_wrong_with_the_source(
    world: World, draft: Draft, quest: Quest, source: QuestSource | NoSource
) -> None:
    """Name a file that is another one than its digest in the spec, or that cannot be read any more."""
    seen = world.facts.quest_files.get(quest.id)
    is_there = seen is not None and seen.path is not None
    if isinstance(source, NoSource) and (
        source.code == "quest-sha256" or (source.code == "quest-file" and is_there)
    ):
        if quest.on_edit == "ignore" and source.code != "quest-sha256":
            return
        block_source(world, draft, quest, source)


def _plan_part(
    world: World,
    draft: Draft,
    quest: Quest,
    campaign: str,
    parts: Sequence[JobRow],
    job: JobRow,
    source: QuestSource | NoSource,
) -> None:
    again = source_of_part(world, quest, parts, job, source) if isinstance(source, QuestSource) else None
    if job.status == "skipped" and job.demoted:
        hint = f"reconcile retry {quest.id}"
        block(world, draft, quest, "quest-skipped", job.last_error or "skipped", hint)
        return
    if job.status == "skipped" or _is_forgiven(world, campaign, job):
        if again is not None:
            enqueue(world, draft, quest, campaign, again, part=job.part, follows=job.follows)
        elif isinstance(source, NoSource):
            block_source(world, draft, quest, source)
        return
    if job.status == "failed":
        hint = f"mend it, then reconcile retry {quest.id}"
        block(world, draft, quest, "quest-failed", job.last_error or "failed", hint)
    block_barred(world, draft, quest, campaign, job)
    if _keep_content(world, draft, quest, campaign, job, again, source):
        _plan_update(world, draft, quest, campaign, job)


def _plan_edit(
    world: World, draft: Draft, quest: Quest, campaign: str, parts: Sequence[JobRow], source: QuestSource
) -> None:
    """Do what the quest says about a content that is another one than what was taken in."""
    if quest.on_edit == "retrain":
        for job in parts:
            if job.status in ("queued", "processing"):
                dequeue(world, draft, job, campaign, "its content was edited; the new content is trained")
        enqueue(world, draft, quest, campaign, source, part=parts[-1].part + 1)
        return
    returning = [job for job in parts if job.status == "skipped" or _is_forgiven(world, campaign, job)]
    if quest.on_edit == "refuse":
        message = (
            "something of it was trained before, with other content or read in another way"
            if returning
            else f"{_what_changed(world, quest, parts, source)}; what was queued is what is trained"
        )
        hint = "give the new content a quest id of its own, or say on_edit: retrain or ignore"
        block(world, draft, quest, "quest-changed", message, hint)
    elif more := _more_than_taken_in(world, parts, source):
        draft.warnings.append(
            f"{world.quest_where(quest.id)}: quest {quest.id} has {count(more, 'row')} more than were taken "
            "in, and others of its rows were edited: with on_edit: ignore none of it is trained; give what"
            " is new a quest of its own"
        )
    for job in parts:
        if job not in returning:
            _plan_part(world, draft, quest, campaign, parts, job, source)


def _what_changed(world: World, quest: Quest, parts: Sequence[JobRow], source: QuestSource) -> str:
    """Return whether the rows of a quest changed since it was queued, or only how they are read."""
    digest = source.fetch.digest if isinstance(source.fetch, SnapshotFile) else None
    same = next((job for job in parts if job.digest == digest), None)
    if same is None:
        return "its content changed after it was queued"
    then = reading(msgspec.json.decode(same.shape_json, type=RowShape))
    now = reading(source.shape)
    changed = [
        f"{key} {then.get(key) or 'none'} → {now.get(key) or 'none'}"
        for key in {**then, **now}
        if then.get(key) != now.get(key)
    ]
    dataset = world.desired.datasets.get(quest.dataset or "")
    by = f", {dataset.where('profile')}" if dataset is not None else ""
    how = f"{', '.join(changed)}{by}"
    return f"its rows are the same and are read in another way than when it was queued ({how})"


def _more_than_taken_in(world: World, parts: Sequence[JobRow], source: QuestSource) -> int:
    """Return how many rows more a file has than its parts had together."""
    if not isinstance(source.fetch, SnapshotFile):
        return 0
    taken = [data.num_rows for job in parts if (data := world.facts.quest_data(job.source_key)) is not None]
    return max(0, source.fetch.num_rows - sum(taken)) if len(taken) == len(parts) else 0


def _is_forgiven(world: World, campaign: str, job: JobRow) -> bool:
    row = world.facts.campaign_row(campaign)
    forgiven_at = world.forgiven_at(row) if row else None
    return job.status == "failed" and is_forgiven(job.finished_at or "", forgiven_at, world.now)


def _keep_content(
    world: World,
    draft: Draft,
    quest: Quest,
    campaign: str,
    job: JobRow,
    again: QuestSource | None,
    source: QuestSource | NoSource,
) -> bool:
    """Bring back the content of an unfinished job whose snapshot is gone; fail the job when nobody has it."""
    if job.status not in ("queued", "processing") or world.facts.quest_data(job.source_key) is not None:
        return True
    if again is not None:
        fetch(world, draft, quest, campaign, again)
        return True
    if isinstance(source, NoSource) and not source.is_gone:
        block_source(world, draft, quest, source)
        return True
    jobs.fail(draft, campaign, job, why_gone(source))
    return False


def fail_what_is_lost(world: World, draft: Draft, quest: Quest) -> None:
    """Fail the unfinished jobs of a quest that waits whose content nobody has any more: they wait in vain."""
    source: QuestSource | NoSource | None = None
    for job in world.facts.jobs_of_quest(quest.id):
        if job.status in ("queued", "processing") and world.facts.quest_data(job.source_key) is None:
            source = source or quest_source(world, quest)
            if not _can_be_had(world, quest, job, source):
                jobs.fail(draft, world.name(job.campaign_uid), job, why_gone(source))


def _can_be_had(world: World, quest: Quest, job: JobRow, source: QuestSource | NoSource) -> bool:
    """Could the content of a job be brought in again, as far as is known?"""
    if isinstance(source, NoSource):
        return not source.is_gone
    mine = (one for one in world.facts.jobs_of_quest(quest.id) if one.campaign_uid == job.campaign_uid)
    return source_of_part(world, quest, current_parts(mine), job, source) is not None


def _plan_update(world: World, draft: Draft, quest: Quest, campaign: str, job: JobRow) -> None:
    differences = []
    if quest.priority != job.priority:
        differences.append(f"priority {job.priority} → {quest.priority}")
    if quest.epochs != job.epochs:
        differences.append(f"epochs {job.epochs} → {quest.epochs}")
    if not differences:
        return
    draft.add(
        UpdateJob(
            job_uid=job.uid,
            quest_id=quest.id,
            campaign=campaign,
            priority=quest.priority,
            epochs=quest.epochs,
        ),
        subject=f"quest/{quest.id}",
        reason=", ".join(differences),
        cause=world.quest_where(quest.id),
        source="edit",
    )
