"""The parts of a quest in one campaign: the content first taken in, then each growth.

Every part is a job of its own, so each row is trained as often as the quest says, whenever it came.
"""

from collections.abc import Iterable, Sequence

import msgspec

from reconciler.desired.layers import held_out_of
from reconciler.desired.queue import Quest
from reconciler.desired.training import HeldOutFile
from reconciler.observed.data_records import QuestFileFacts
from reconciler.plan.actions import SnapshotFile
from reconciler.plan.dropped import content_key
from reconciler.plan.queue.quest_sources import QuestSource
from reconciler.plan.world import World
from state.amounts import count
from state.contract.contents import Continued, KnownPart, NewRows
from state.store.rows import JobRow, QuestDataRow


def current_parts(jobs: Iterable[JobRow]) -> tuple[JobRow, ...]:
    """Return, of a campaign's jobs of one quest, those of the content that is trained now, in their order."""
    parts: list[JobRow] = []
    for job in sorted(jobs, key=lambda job: job.part):
        parts = [*parts, job] if job.follows else [job]
    return tuple(parts)


def known_contents(
    jobs: Sequence[JobRow], quest_data: Sequence[QuestDataRow]
) -> dict[str, tuple[tuple[KnownPart, ...], ...]]:
    """Return quest id → the parts that each campaign has of it, for who looks at the quest's file."""
    sizes = {row.digest: row.size_bytes for row in quest_data}
    by_owner: dict[tuple[str, str], list[JobRow]] = {}
    for job in jobs:
        by_owner.setdefault((job.quest_id, job.campaign_uid), []).append(job)
    found: dict[str, dict[tuple[KnownPart, ...], None]] = {}
    for (quest_id, _), mine in by_owner.items():
        parts = current_parts(mine)
        if all(job.digest in sizes for job in parts):
            known = tuple(KnownPart(job.digest, sizes[job.digest]) for job in parts)
            found.setdefault(quest_id, {})[known] = None
    return {quest_id: tuple(sorted(contents, key=repr)) for quest_id, contents in found.items()}


def is_unchanged(world: World, quest: Quest, parts: Sequence[JobRow], source: QuestSource) -> bool:
    """Does the quest's source still have the content of these parts, and perhaps more behind it?"""
    if len(parts) == 1 and parts[0].source_key == source.key:
        return True
    return _continued(world, quest, parts, source) is not None


def newest_start(world: World, quest: Quest, campaign: str | None, *, only_new: bool) -> int:
    """Return the byte of a quest's file where the newest part of it begins for a campaign.

    That is what came since the last part, else (unless `only_new`) that part. 0: the file is one part.
    """
    seen = world.facts.quest_files.get(quest.id)
    if seen is None or campaign is None:
        return 0
    jobs = (job for job in world.facts.jobs_of_quest(quest.id) if job.campaign_uid == world.uid(campaign))
    digests = tuple(job.digest for job in current_parts(jobs))
    found = next((one for one in seen.continued if one.parts == digests), None)
    if found is None or (only_new and found.new is None):
        return 0
    starts = found.starts if found.new is not None else found.starts[: len(digests)]
    return starts[-1] if len(starts) > 1 else 0


def growth(world: World, quest: Quest, parts: Sequence[JobRow], source: QuestSource) -> QuestSource | None:
    """Return the rows that came behind the parts, as a source; None when there are none to train."""
    found = _continued(world, quest, parts, source)
    if found is None or found.new is None or not isinstance(source.fetch, SnapshotFile):
        return None
    if _why_none_is_trained(world, world.name(parts[0].campaign_uid), found.new) is not None:
        return None  # they wait until one comes that is trained
    return _source_of_range(
        source,
        source.fetch,
        found.new.digest,
        found.new.num_rows,
        (found.starts[-1], None),
    )


def held_out_growth(world: World, quest: Quest, parts: Sequence[JobRow], source: QuestSource) -> str | None:
    """Say why none of the rows that came behind the parts is trained; None when there are none, or one is."""
    found, campaign = _continued(world, quest, parts, source), world.name(parts[0].campaign_uid)
    if found is None or found.new is None:
        return None
    why = _why_none_is_trained(world, campaign, found.new)
    return (
        why and f"{count(found.new.num_rows, 'new row')}, and {why}: nothing of that is trained by {campaign}"
    )


def _why_none_is_trained(world: World, campaign: str, new: NewRows) -> str | None:
    held_out = held_out_of(world.desired, campaign)
    if not isinstance(held_out, HeldOutFile):
        return f"all are held out ({held_out:g} of the rows)" if new.highest_draw < held_out else None
    seen = world.facts.held_out_files.get(campaign)
    is_in = seen is not None and seen.sha256 in new.all_in
    return f"all stand in the held-out file {held_out.file}" if is_in else None


def source_of_part(
    world: World, quest: Quest, parts: Sequence[JobRow], part: JobRow, source: QuestSource
) -> QuestSource | None:
    """Return where the content of one part can be had again; None when the source has it no longer."""
    if source.key == part.source_key:
        return source
    found = _continued(world, quest, parts, source)
    if found is None or not isinstance(source.fetch, SnapshotFile):
        return None
    place = found.parts.index(part.digest) if part not in parts else parts.index(part)
    start = found.starts[place]
    known = world.facts.known_data(part.source_key)
    stop = start + known.size_bytes if known else found.starts[place + 1]
    return _source_of_range(source, source.fetch, part.digest, part.num_examples, (start, stop))


def _source_of_range(
    source: QuestSource, fetch: SnapshotFile, digest: str, num_rows: int, span: tuple[int, int | None]
) -> QuestSource:
    key = content_key(digest, source.shape)
    return msgspec.structs.replace(
        source,
        key=key,
        left_out="",
        fetch=msgspec.structs.replace(
            fetch, source_key=key, digest=digest, num_rows=num_rows, start_byte=span[0], stop_byte=span[1]
        ),
    )


def _continued(world: World, quest: Quest, parts: Sequence[JobRow], source: QuestSource) -> Continued | None:
    seen: QuestFileFacts | None = world.facts.quest_files.get(quest.id)
    if seen is None or any(job.source_key != content_key(job.digest, source.shape) for job in parts):
        return None
    digests = tuple(job.digest for job in parts)
    return next((one for one in seen.continued if one.parts == digests), None)
