"""The trash: what no rule keeps goes there, comes back when a person asks, is deleted when its time is over.

Fails closed: where anything about a campaign's checkpoints is unknown, damaged or contradictory, nothing of
that campaign is dropped, and the plan says why.
"""

from collections.abc import Iterator

from reconciler.desired.desired import Source
from reconciler.desired.realm import duration_seconds
from reconciler.desired.retention import Retention
from reconciler.plan.actions import (
    PurgeTrash,
    RecordCheckpoint,
    RestoreCheckpoint,
    SetAsideCheckpoint,
    TrashCheckpoint,
)
from reconciler.plan.draft import Draft
from reconciler.plan.kept import checkpoint_id, set_name, verdicts_of
from reconciler.plan.observed_time import observed_now
from reconciler.plan.retention.records import MalformedRecords
from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow, TrashRow

CLEAN_TICKS = 2
"""So many ticks without a failure must follow before anything dropped is deleted."""


def plan_drops(world: World, draft: Draft) -> None:
    """Drop what the rules keep no longer, in every campaign that has a spec."""
    for row in world.facts.store.campaigns:
        _finish_drops(world, draft, row)
        retention = world.desired.retention
        if (
            retention is None
            or row.name not in world.desired.campaigns
            or _is_left_alone(world, row, retention)
        ):
            continue
        if why := _hold(world, draft, row, retention.spec):
            _block(
                world, draft, row, "retention-on-hold", why, "mend it, or list it under acknowledged_losses"
            )
            continue
        _warn_of_pins(world, draft, row, retention)
        try:
            _drop(world, draft, row, retention)
        except MalformedRecords as error:
            _block(
                world, draft, row, "retention-failed", str(error), "see reconcile doctor; nothing is deleted"
            )


def _is_left_alone(world: World, row: CampaignRow, retention: Source[Retention]) -> bool:
    return world.is_suspended(retention.spec.suspend) or world.suspension(row.name) is not None


def _hold(world: World, draft: Draft, row: CampaignRow, spec: Retention) -> str | None:
    """Say what is missing or damaged among the recorded checkpoints, or not known."""
    seen = world.seen(row.name)
    if seen.checkpoints.problem is not None or seen.home != "home":
        return f"its checkpoints cannot be seen: {seen.checkpoints.problem or 'its folder is not at home'}"
    if any(action.campaign == row.name for action in draft.actions(SetAsideCheckpoint)):
        return "a checkpoint is damaged"
    there = {found.manifest.digest for found in seen.checkpoints.complete}
    rows = world.facts.ledger_of(row.uid)
    in_force = {(one.segment, one.step): one for one in rows}
    lost = [
        checkpoint_id(row, one, gone=False)
        for one in in_force.values()
        if world.facts.tombstone(one) is None and (one.damage is not None or one.digest not in there)
    ]
    lost = [name for name in lost if name not in spec.acknowledged_losses]
    if not lost:
        return None
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return f"{lost[0]}{more} is missing or damaged"


def _block(world: World, draft: Draft, row: CampaignRow, code: str, why: str, hint: str) -> None:
    cause = world.desired.retention.where("campaigns", set_name(row)) if world.desired.retention else "specs"
    draft.block(
        f"campaign/{row.name}", code=code, message=f"nothing of it is dropped: {why}", cause=cause, hint=hint
    )


def _drop(world: World, draft: Draft, row: CampaignRow, retention: Source[Retention]) -> None:
    dropped = {v.id: v.reasons for v in verdicts_of(world, row) if v.decision == "drop"}
    for one in world.facts.ledger_of(row.uid):
        reasons = dropped.get(checkpoint_id(row, one, gone=False))
        if reasons and world.facts.tombstone(one) is None and one.segment == row.segment:
            grace = duration_seconds(retention.spec.trash.rolled)
            cause = retention.where("campaigns", set_name(row))
            _trash(draft, row, one, why="; ".join(reasons), grace_seconds=grace, cause=cause)


def _warn_of_pins(world: World, draft: Draft, row: CampaignRow, retention: Source[Retention]) -> None:
    """Name the pins that hold nothing: a wrong step protects nobody."""
    known = {f"{row.name}@{one.step}" for one in world.facts.ledger_of(row.uid)}
    for place, pin in enumerate(retention.spec.pins):
        if pin.startswith(f"{row.name}@") and pin not in known:
            where = retention.where("pins", place)
            draft.warnings.append(f"{where}: {pin} is pinned, and there is no such checkpoint")


def _trash(
    draft: Draft, row: CampaignRow, one: LedgerRow, *, why: str, grace_seconds: float, cause: str
) -> None:
    draft.add(
        TrashCheckpoint(
            campaign=row.name,
            campaign_uid=row.uid,
            sequence=one.sequence,
            step=one.step,
            digest=one.digest,
            size_bytes=one.size_bytes,
            kind="rolled",
            why=why,
            grace_seconds=grace_seconds,
        ),
        subject=f"checkpoint/{row.name}@{one.step}",
        reason=why,
        cause=cause,
        source="progress",
        needs=draft.ids(RecordCheckpoint),
    )


def _finish_drops(world: World, draft: Draft, row: CampaignRow) -> None:
    """Move what has its tombstone already and still lies in its place: a kill came between the two."""
    there = {found.manifest.digest for found in world.seen(row.name).checkpoints.complete}
    for one in world.facts.ledger_of(row.uid):
        stone = world.facts.tombstone(one)
        if stone is not None and one.digest in there:
            _trash(
                draft, row, one, why=stone.reason, grace_seconds=stone.grace_seconds, cause="an earlier drop"
            )


def plan_undeletes(world: World, draft: Draft) -> None:
    """Take back what people asked for, oldest request first."""
    for request in world.facts.store.requests:
        if request.kind != "undelete":
            continue
        stone = _newest_stone(world, request.campaign)
        draft.add(
            RestoreCheckpoint(
                request_id=request.id,
                checkpoint=request.campaign,
                sequence=stone.sequence if stone else None,
                campaign_uid=stone.campaign_uid if stone else None,
                asked_by=request.asked_by,
            ),
            subject=f"checkpoint/{request.campaign}",
            reason=f"{request.asked_by} asked for it: {request.why}",
            cause=f"reconcile undelete at {request.asked_at}",
            source="request",
        )


def _newest_stone(world: World, checkpoint: str) -> TrashRow | None:
    there = [one for one in world.facts.store.trash if f"{one.campaign}@{one.step}" == checkpoint]
    return next((one for one in reversed(there) if one.state == "trashed"), None)


def plan_purges(world: World, draft: Draft) -> None:
    """Delete what has lain in the trash for its time of grace, and has seen two clean ticks since."""
    back = {action.sequence for action in draft.actions(RestoreCheckpoint)}
    for stone in due(world):
        if stone.sequence not in back and stone.sequence not in _being_dropped(draft):
            draft.add(
                PurgeTrash(
                    campaign=stone.campaign,
                    campaign_uid=stone.campaign_uid,
                    sequence=stone.sequence,
                    step=stone.step,
                    path=stone.path,
                    size_bytes=stone.size_bytes,
                ),
                subject=f"checkpoint/{stone.campaign}@{stone.step}",
                reason=f"its {stone.grace_seconds / 3600:g} h in the trash are over",
                cause=stone.path,
                source="progress",
            )


def _being_dropped(draft: Draft) -> set[int]:
    return {action.sequence for action in draft.actions(TrashCheckpoint)}


def due(world: World) -> Iterator[TrashRow]:
    """Yield what may be deleted now, by observed time."""
    store = world.facts.store
    now = observed_now(store, world.now)
    for stone in store.trash:
        is_over = now - stone.trashed_at_seconds >= stone.grace_seconds
        if stone.state == "purging" or (
            stone.state == "trashed" and is_over and store.clean_ticks - stone.clean_ticks >= CLEAN_TICKS
        ):
            yield stone
