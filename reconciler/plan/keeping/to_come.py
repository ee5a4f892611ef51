"""What time alone still brings where nothing is left to do: drops of what is too young, and the trash. Pure.

Asked by what people read, not by every plan: the rules are asked again about each campaign with young ones.
"""

from collections.abc import Collection, Iterable, Iterator

import msgspec

from reconciler.desired.realm import duration_seconds
from reconciler.plan.actions import ArchiveCampaign, PurgeTrash, RestoreCampaign, RestoreCheckpoint
from reconciler.plan.changes import FAILS, NOT_BROUGHT_BACK, Plan
from reconciler.plan.keeping.kept import checkpoint_id, verdicts_beyond_the_newest
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.retention.protections import too_young
from reconciler.plan.retention.records import MalformedRecords
from reconciler.plan.world import World
from state.amounts import count, duration, size
from state.store.rows import CampaignRow, LedgerRow, TrashRow

HOLDS = (
    "protected-in-the-trash",
    "deletion-on-hold",
    "replaced-in-the-trash",
    "not-ours-in-the-trash",
    "only-copy-in-the-trash",
    "not-in-the-ledger",
    "deleted",
    "suspended",
    f"{FAILS}-purge",
    f"{FAILS}-bring-back",
    NOT_BROUGHT_BACK,
)
"""What keeps a thing in the trash beyond its time, by name."""
_ON_HOLD = ("retention-on-hold", "retention-failed")


class ToCome(msgspec.Struct, frozen=True, kw_only=True):
    """What is still to come, while apply runs."""

    num_drops: int = 0
    """Checkpoints that no rule keeps, and that are too young to go to the trash."""
    drop_bytes: int = 0
    drop_in_seconds: float = 0.0
    """Until the first of them goes."""
    num_purges: int = 0
    """Things in the trash, that nothing holds."""
    purge_bytes: int = 0
    purge_in_seconds: float = 0.0
    """Until the first of them is deleted for good."""
    is_held: bool = False
    held_while: str | None = None
    """Why none of this happens for now, whatever the time (`Facts.deletions_wait_while`)."""
    purges_held_while: str | None = None
    """Why nothing of it is deleted for good for now (`Facts.purges_wait_while`)."""

    @property
    def text(self) -> str:
        """Return it in words; empty when nothing is to come."""
        parts = []
        if self.num_drops:
            what = f"{count(self.num_drops, 'checkpoint')}, {size(self.drop_bytes)}"
            when = _when(self.num_drops, self.drop_in_seconds, self.held_while)
            parts.append(f"to the trash: {what}, {when}")
        if self.num_purges:
            what = f"{self.num_purges:,} in the trash, {size(self.purge_bytes)}"
            when = _when(self.num_purges, self.purge_in_seconds, self.purges_held_while)
            parts.append(f"deleted for good: {what}, {when}")
        return "; ".join(parts)


def _when(number: int, seconds: float, held_while: str | None) -> str:
    if held_while is not None:
        return f"held while {held_while}"
    first = "the first " if number > 1 else ""
    return f"{first}in {duration(seconds)}" if seconds >= 1 else f"{first}after the next clean ticks"


def to_come(world: World, plan: Plan) -> ToCome:
    """Return what only waits for its time beside a plan: not what it does, nor what it names as held."""
    now, held = world.observed_now, {(one.subject, one.code) for one in plan.blocked}
    leaving = (change.action for change in plan.changes)
    left = {one.sequence for one in leaving if isinstance(one, PurgeTrash | RestoreCheckpoint)}
    young = list(_young_drops(world, now, held, _moving(plan)))
    stays = held_by_name(plan, world.facts.in_trash) | left
    stones = [one for one in world.facts.in_trash if one.state == "trashed" and one.sequence not in stays]
    ends = [stone.trashed_at_seconds + stone.grace_seconds for stone in stones]
    age = _minimum_age(world)
    held_while = world.facts.deletions_wait_while if young or stones else None
    return ToCome(
        num_drops=len(young),
        drop_bytes=sum(one.size_bytes for one in young),
        drop_in_seconds=min((one.recorded_at_seconds + age - now for one in young), default=0.0),
        num_purges=len(stones),
        purge_bytes=sum(stone.size_bytes for stone in stones),
        purge_in_seconds=max(0.0, min(ends, default=now) - now),
        is_held=held_while is not None,
        held_while=held_while,
        purges_held_while=world.facts.purges_wait_while if stones else None,
    )


def _moving(plan: Plan) -> set[str]:
    """Return the campaigns that go by other rules once this plan is done."""
    moves = (change.action for change in plan.changes)
    return {move.campaign for move in moves if isinstance(move, ArchiveCampaign | RestoreCampaign)}


def held_by_name(plan: Plan, stones: Iterable[TrashRow]) -> frozenset[int]:
    """Return which things in the trash a plan names as staying there beyond their time, by sequence.

    One that could not be deleted for good when that was last tried stays, too, as far as anybody knows.
    """
    held = {one.subject for one in plan.blocked if one.code in HOLDS}
    stays = {one.sequence for one in plan.unasked}
    stays |= {one.action.sequence for one in plan.setbacks if isinstance(one.action, PurgeTrash)}
    return frozenset(one.sequence for one in stones if one.subject in held or one.sequence in stays)


def _minimum_age(world: World) -> float:
    retention = world.retention
    return duration_seconds(retention.spec.minimum_age) if retention is not None else 0.0


def _young_drops(
    world: World, now: float, held: Collection[tuple[str, str]], moving: Collection[str]
) -> Iterator[LedgerRow]:
    """Yield the checkpoints that nothing but their age keeps."""
    retention, age = world.retention, _minimum_age(world)
    if retention is None or world.is_suspended(retention.spec.suspend):
        return
    uids = {one.campaign_uid for one in world.facts.store.ledger if now - one.recorded_at_seconds < age}
    for row in world.facts.store.campaigns:
        if row.uid not in uids or row.name in moving:
            continue
        if row.status == "deleted" or row.name not in world.desired.campaigns:
            continue
        is_held = any((f"campaign/{row.name}", code) in held for code in _ON_HOLD)
        if not (is_held or world.wants_cleanup(row) or world.suspension(row.name)):
            yield from _young_of(world, row, too_young(age))


def _young_of(world: World, row: CampaignRow, reason: str) -> Iterator[LedgerRow]:
    stock = stock_of(world, row)
    try:
        verdicts = verdicts_beyond_the_newest(world, stock)
    except MalformedRecords:
        return
    only_young = {verdict.id for verdict in verdicts if verdict.reasons == (reason,)}
    yield from (one for one in stock.kept if checkpoint_id(row, one, gone=False) in only_young)
