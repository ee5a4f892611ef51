"""Checkpoints: what a trainer has published enters the ledger; what the ledger knows must still be there."""

from reconciler.observed.records import CheckpointFacts
from reconciler.plan.actions import RecordCheckpoint
from reconciler.plan.checkpoints.damaged import plan_damaged
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.trash.names import dropped_name
from reconciler.plan.world import World
from state.contract.manifest import Manifest
from state.ids import checkpoint_folder, which_of
from state.store.rows import CampaignRow, LedgerRow

_MOST_FOREIGN = 3


def plan_checkpoints(world: World, draft: Draft) -> None:
    """Record the complete checkpoints of every registered campaign; name those that are gone or changed."""
    for row in world.facts.store.campaigns:
        if _is_as_recorded(world, row):
            continue
        if any(one.ready_at is None for one in world.facts.segments_of(row.uid)):
            continue  # what a kill cut short is on its way: everything that moves is recorded
        ledger = stock_of(world, row).kept
        seen, living = world.seen(row.name), {one.step: one for one in ledger if one.is_living}
        _record_new(world, draft, row, living, seen.checkpoints, None)
        plan_damaged(world, draft, row, living, seen.checkpoints)
        draft.warnings.extend(f"campaign/{row.name}: {text}" for text in seen.problems)
        _name_missing(world, draft, row, living, seen.checkpoints)
        for number, facts in sorted(seen.segments.items()):
            known = {one.step: one for one in ledger if not one.is_living and one.segment == number}
            _record_new(world, draft, row, known, facts, number)
            plan_damaged(world, draft, row, known, facts)
            _name_missing(world, draft, row, known, facts)
        _name_foreign(world, draft, row)


def _name_foreign(world: World, draft: Draft, row: CampaignRow) -> None:
    """Name what other software saved among the checkpoints: never deleted, never gone on from."""
    theirs = [one for one in world.seen(row.name).checkpoints.foreign if one.producer is not None]
    for one in theirs[:_MOST_FOREIGN]:
        draft.warnings.append(f"campaign/{row.name}: {one.name}: {one.reason}; never deleted, never used")
    if (more := len(theirs) - _MOST_FOREIGN) > 0:
        draft.warnings.append(
            f"campaign/{row.name}: {more:,} more that other software saved: reconcile get checkpoints"
        )


def _is_as_recorded(world: World, row: CampaignRow) -> bool:
    """Is what lies there what the ledger knows, whole and nothing else? Then nothing is to be said of it."""
    facts, seen = world.facts, world.seen(row.name)
    there = seen.checkpoints
    if (
        seen.segments
        or seen.problems
        or there != CheckpointFacts(complete=there.complete, staging=there.staging)
    ):
        return False
    if facts.stock_of(row).is_whole and not facts.segments_of(row.uid):
        return True
    living = [one for one in facts.ledger_of(row.uid) if one.is_living]
    kept = [one for one in living if facts.tombstone(one) is None] if facts.tombstones else living
    found = [(one.step, one.digest, None) for one in there.complete]
    recorded = [(one.step, one.digest, one.damage) for one in kept]
    return found == recorded or set(found) == set(recorded)  # mostly both are in the order of the steps


def _record_new(
    world: World,
    draft: Draft,
    row: CampaignRow,
    known: dict[int, LedgerRow],
    facts: CheckpointFacts,
    segment: int | None,
) -> None:
    """Record what lies in the folder of the living history, or of a segment that is not living, in its order.

    The ledger's numbers say what is newer: none is given before the one of an older save that fails.
    """
    before: tuple[str, ...] = ()
    dropped = {ledger.digest for ledger in world.facts.ledger_of(row.uid) if world.facts.tombstone(ledger)}
    stock = stock_of(world, row)
    replaced = {ledger.digest for ledger in stock.ledger if not stock.is_in_force(ledger)}
    for found in facts.complete:
        if found.digest in dropped:
            continue  # `trash` finishes what a kill cut short
        if found.step in known and known[found.step].digest == found.digest:
            continue
        again = found.step in known
        if found.digest in replaced or (again and not is_later(found.manifest, known[found.step])):
            _block_changed(draft, row, which_of(segment, found.step))
            continue
        change = draft.add(
            RecordCheckpoint(
                campaign=row.name,
                campaign_uid=row.uid,
                segment=found.manifest.segment,
                step=found.step,
                digest=found.digest,
                aside=segment is not None,
            ),
            subject=f"checkpoint/{row.name}@{which_of(segment, found.step)}",
            reason="the one recorded is lost, and a later run saved it again"
            if again
            else "a trainer published it",
            cause=world.below_root(found.path),
            source="progress",
            needs=before,
        )
        before = (change,)


def is_later(manifest: Manifest, row: LedgerRow) -> bool:
    """Was this saved by a later run than the one that saved what the ledger has of this step?

    One run saves a step once: what is different under the same run, or an earlier one, somebody changed.
    """
    return (manifest.generation, manifest.attempt) > (row.generation, row.attempt)


def _name_missing(
    world: World, draft: Draft, row: CampaignRow, known: dict[int, LedgerRow], seen: CheckpointFacts
) -> None:
    if seen.problem is not None:
        draft.block(
            f"campaign/{row.name}",
            code="checkpoints-unreadable",
            message=f"its checkpoints cannot be read: {seen.problem}",
            cause=f"campaign/{row.name}",
            hint="make the folder readable again; nothing is deleted meanwhile",
        )
        return
    there, acknowledged = {found.step for found in seen.complete}, _acknowledged(world, row)
    for step, ledger in sorted(known.items()):
        if step in there or ledger.damage or ledger.which in acknowledged:
            continue
        is_dropped = dropped_name(ledger) in world.facts.trash.folders
        draft.block(
            f"checkpoint/{row.name}@{ledger.which}",
            code="checkpoint-missing",
            message=_LIES_IN_THE_TRASH if is_dropped else why_missing(seen, step),
            cause=ledger.path,
            hint=_REBUILD if is_dropped else way_to_whole(seen, step) or _put_back(row, ledger),
        )


def why_missing(seen: CheckpointFacts, step: int) -> str:
    """Return what is wrong with a recorded checkpoint that does not lie there whole."""
    there = seen.in_place_of(checkpoint_folder(step))
    lies = f"what lies there is not whole as it was saved ({there.reason})" if there else None
    return f"the ledger knows it, but {lies or 'no complete checkpoint lies there'}"


def way_to_whole(seen: CheckpointFacts, step: int) -> str | None:
    """Return the simple way out where one of ours lies there with something more in it."""
    extra = seen.too_much(checkpoint_folder(step))
    return f"move {extra} away: without it that checkpoint counts again if it is whole" if extra else None


def _put_back(row: CampaignRow, ledger: LedgerRow) -> str:
    name = f"{row.name}@{ledger.which}"
    lost = f"list {name} under acknowledged_losses in specs/retention.yaml"
    again = f"make it again: reconcile replay {name} --restore"
    return f"put a copy of it back there, or {again}; or, where nothing has it, {lost}"


_LIES_IN_THE_TRASH = "it lies in the trash, and the store knows of no drop: it is older than that"
_REBUILD = "end apply, then: reconcile doctor --rebuild, which reads the tombstones in the trash"


def _acknowledged(world: World, row: CampaignRow) -> set[str]:
    """Return the checkpoints whose loss a person has acknowledged: what is known is not told again."""
    names = (name.partition("@") for name in world.acknowledged_losses)
    return {which for campaign, _, which in names if campaign == row.name}


def _block_changed(draft: Draft, row: CampaignRow, which: str) -> None:
    draft.block(
        f"checkpoint/{row.name}@{which}",
        code="checkpoint-changed",
        message="it is not the one that the ledger recorded: the digests differ",
        cause=f"campaign/{row.name}",
        hint="find out who replaced it; nothing of it is deleted",
    )
