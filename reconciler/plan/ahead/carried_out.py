"""The world once changes are carried out and time has passed, as far as checkpoints and the disk go. Pure.

What a forecast plans from: what training saves is put in as its trainer would, and what each plan drops,
demotes or deletes is gone for the next one. Everything else of a plan is left as it is.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from reconciler.observed.facts import CampaignFacts
from reconciler.observed.records import CheckpointFacts, FoundCheckpoint, found_checkpoint
from reconciler.plan import actions as a
from reconciler.plan.changes import Change
from reconciler.plan.trash.names import dropped_name, folder_name
from reconciler.plan.world import World
from state.contract.manifest import QuestCursor, weights_only
from state.store.rows import CampaignRow, JobRow, LedgerRow, TrashRow

_TICKS = 1000
"""Clean ones, between two moments that are looked at: the loop makes four a minute."""
_NO_ROW = 1 << 52
"""Beyond all numbers that a row of the ledger has."""


def moment_after(world: World, seconds: float) -> str:
    """Return the moment so many seconds after a world's."""
    moment = datetime.fromisoformat(world.now) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def later(world: World, seconds: float) -> World:
    """Return the same world so many seconds later, by every clock; nothing failed meanwhile."""
    now, store = moment_after(world, seconds), world.facts.store
    store = msgspec.structs.replace(
        store,
        observed_seconds=world.observed_now + seconds,
        observed_at=now,
        observed_boot=None,
        clean_ticks=store.clean_ticks + _TICKS,
    )
    return _with(world, msgspec.structs.replace(world.facts, store=store, boot=None), now=now)


def with_save(world: World, row: CampaignRow, step: int, learnt: Iterable[JobRow]) -> World:
    """Return the world once a campaign has saved at a step, having learnt these jobs to their end.

    The save is as its newest: as large, and healthy; what nobody can know of it is not made up.
    """
    facts, newest = world.facts, world.newest_checkpoint(row.name)
    like = facts.ledger_of(row.uid)[-1]
    sequence = max(one.sequence for one in facts.store.ledger) + 1
    path = f"{like.path.rpartition('-')[0]}-{step}"
    digest = f"saved:{sequence}"
    saved = msgspec.structs.replace(
        like, sequence=sequence, step=step, path=path, timestamp=world.now, digest=digest, healthy=True,
        canonical_name=path, train_loss=None, val_loss=None, skills_json="", marks_json="", damage=None,
        verified_at=None, segment=row.segment, parent_step=like.step, recorded_at_seconds=world.observed_now,
    )  # fmt: skip
    seen = world.seen(row.name)
    if newest is not None:
        manifest = msgspec.structs.replace(
            newest.manifest, step=step, digest=digest, created_at=world.now, healthy=True, origin=None,
            imported=None, cursor=_cursors(newest.manifest.cursor, learnt, step),
        )  # fmt: skip
        found = found_checkpoint(path, newest.size_bytes, manifest)
        seen = _with_complete(seen, (*seen.checkpoints.complete, found))
    store = msgspec.structs.replace(facts.store, ledger=(*facts.store.ledger, saved))
    disk = msgspec.structs.replace(facts.disk, free_bytes=(facts.disk.free_bytes or 0) - saved.size_bytes)
    campaigns = {**facts.campaigns, row.name: seen}
    return _with(world, msgspec.structs.replace(facts, store=store, disk=disk, campaigns=campaigns))


def _cursors(before: tuple[QuestCursor, ...], learnt: Iterable[JobRow], step: int) -> tuple[QuestCursor, ...]:
    found = {(one.quest_id, one.digest): one for one in before}
    for job in learnt:
        key = (job.order_id, job.digest)
        first = found[key].first_step if key in found else job.start_step or step
        found[key] = QuestCursor(
            quest_id=job.order_id, digest=job.digest, epochs_done=job.epochs, rows_taken=0, complete=True,
            first_step=first, last_step=step, last_loss=None,
        )  # fmt: skip
    return tuple(found.values())


def carried_out(world: World, changes: Iterable[Change]) -> World:
    """Return the world once these changes are carried out, those about checkpoints, the trash and jobs."""
    for change in changes:
        match change.action:
            case a.TrashCheckpoint() as drop:
                world = _dropped(world, drop)
            case a.DemoteCheckpoint() as drop:
                world = _demoted(world, drop)
            case a.PurgeTrash() as purge:
                world = _purged(world, purge)
            case a.MarkJob() as mark:
                world = _marked(world, mark)
            case _:
                pass
    return world


def _dropped(world: World, drop: a.TrashCheckpoint) -> World:
    row = next(one for one in world.facts.ledger_of(drop.campaign_uid) if one.sequence == drop.sequence)
    return _buried(_without(world, drop.campaign, drop.digest), drop, row)


def _demoted(world: World, drop: a.DemoteCheckpoint) -> World:
    row = next(one for one in world.facts.ledger_of(drop.campaign_uid) if one.sequence == drop.sequence)
    seen = world.seen(drop.campaign)
    full = next((one for one in seen.checkpoints.complete if one.digest == drop.digest), None)
    if full is None:
        return world  # of a segment that is not living: it stays as it is, which is the larger
    lighter = weights_only(full.manifest)
    light = found_checkpoint(full.path, full.size_bytes - drop.size_bytes, lighter)
    complete = tuple(light if one is full else one for one in seen.checkpoints.complete)
    rest = msgspec.structs.replace(
        row, size_bytes=row.size_bytes - drop.size_bytes, has_optimizer=False, digest=lighter.digest
    )
    facts = world.facts
    ledger = tuple(rest if one.sequence == row.sequence else one for one in facts.store.ledger)
    store = msgspec.structs.replace(facts.store, ledger=ledger)
    campaigns = {**facts.campaigns, drop.campaign: _with_complete(seen, complete)}
    changed = _with(world, msgspec.structs.replace(facts, store=store, campaigns=campaigns))
    return _buried(changed, drop, row, sequence=_NO_ROW + row.sequence, keeps=lighter.digest)


def _buried(
    world: World, drop: a.TrashCheckpoint | a.DemoteCheckpoint, row: LedgerRow, **other: Any
) -> World:
    facts = world.facts
    number = other.pop("sequence", row.sequence)
    stone = TrashRow(
        sequence=number,
        campaign_uid=drop.campaign_uid,
        campaign=drop.campaign,
        segment=drop.segment,
        step=drop.step,
        digest=drop.digest,
        origin=row.path,
        path=f"trash/{dropped_name(msgspec.structs.replace(row, sequence=number))}",
        size_bytes=drop.size_bytes,
        kind=drop.kind,
        reason=drop.why,
        trashed_at=world.now,
        trashed_at_seconds=world.observed_now,
        grace_seconds=drop.grace_seconds,
        clean_ticks=facts.store.clean_ticks,
        state="trashed",
        **other,
    )
    others = (one for one in facts.store.trash if one.sequence != number)
    store = msgspec.structs.replace(facts.store, trash=(*others, stone))
    trash = msgspec.structs.replace(facts.trash, folders=facts.trash.folders | {folder_name(stone)})
    return _with(world, msgspec.structs.replace(facts, store=store, trash=trash))


def _without(world: World, campaign: str, digest: str) -> World:
    seen = world.seen(campaign)
    segments = {number: _left(found, digest) for number, found in seen.segments.items()}
    seen = msgspec.structs.replace(seen, checkpoints=_left(seen.checkpoints, digest), segments=segments)
    campaigns = {**world.facts.campaigns, campaign: seen}
    return _with(world, msgspec.structs.replace(world.facts, campaigns=campaigns))


def _left(found: CheckpointFacts, digest: str) -> CheckpointFacts:
    return msgspec.structs.replace(
        found, complete=tuple(one for one in found.complete if one.digest != digest)
    )


def _purged(world: World, purge: a.PurgeTrash) -> World:
    facts = world.facts
    trash = tuple(
        msgspec.structs.replace(one, state="purged") if one.sequence == purge.sequence else one
        for one in facts.store.trash
    )
    free = facts.disk.free_bytes
    disk = msgspec.structs.replace(facts.disk, free_bytes=None if free is None else free + purge.size_bytes)
    folders = facts.trash.folders - {purge.path.rpartition("/")[2]}
    lying = msgspec.structs.replace(facts.trash, folders=folders)
    store = msgspec.structs.replace(facts.store, trash=trash)
    return _with(world, msgspec.structs.replace(facts, store=store, disk=disk, trash=lying))


def _marked(world: World, mark: a.MarkJob) -> World:
    from reconciler.plan.campaigns.afterwards import marked

    store = world.facts.store
    store = msgspec.structs.replace(store, jobs=tuple(marked(store.jobs, (mark,))))
    return _with(world, msgspec.structs.replace(world.facts, store=store))


def _with_complete(seen: CampaignFacts, complete: tuple[FoundCheckpoint, ...]) -> CampaignFacts:
    return msgspec.structs.replace(
        seen, checkpoints=msgspec.structs.replace(seen.checkpoints, complete=complete)
    )


def _with(world: World, facts: Any, now: str | None = None) -> World:
    return World(
        desired=world.desired,
        facts=facts,
        specs_commit=world.specs_commit,
        now=now or world.now,
        misnamed=world.misnamed,
    )
