"""Checkpoints whose contents were found damaged: named, moved out of the way, never used, never deleted."""

from reconciler.observed.records import CheckpointFacts, FoundCheckpoint
from reconciler.plan.actions import SetAsideCheckpoint
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.ids import damaged_folder
from state.store.rows import CampaignRow, LedgerRow


def plan_damaged(
    world: World, draft: Draft, row: CampaignRow, known: dict[int, LedgerRow], seen: CheckpointFacts
) -> None:
    """Name what the ledger calls damaged, and move it aside once no trainer saves there.

    Its name must be free: training goes on from an earlier checkpoint and comes to the same step again.
    """
    there = {found.step: found for found in seen.complete}
    kept = set(seen.set_aside)
    for step, ledger in sorted(known.items()):
        if ledger.damage is not None:
            found = there.get(step)
            _plan_one(world, draft, row, ledger, found)
            kept.discard(damaged_folder(step, ledger.digest))
    for name in sorted(kept):
        draft.warnings.append(
            f"campaign/{row.name}: checkpoints/{name} is damaged, and that step was saved again; "
            "it is yours to remove"
        )


def _plan_one(
    world: World, draft: Draft, row: CampaignRow, ledger: LedgerRow, found: FoundCheckpoint | None
) -> None:
    is_in_the_way = found is not None and found.digest == ledger.digest
    if is_in_the_way and not world.is_training(row.name):
        plan_set_aside(draft, row.name, ledger, f"damaged: {ledger.damage}")
    draft.block(
        f"checkpoint/{row.name}@{ledger.which}",
        code="checkpoint-damaged",
        message=f"it is damaged and not used: {ledger.damage}",
        cause=ledger.path if is_in_the_way else _aside(ledger),
        hint="restore it from a copy, or make it again: "
        f"reconcile replay {row.name}@{ledger.which} --restore; or let training go on from the newest whole "
        "one; nothing is deleted",
    )


def plan_set_aside(draft: Draft, campaign: str, ledger: LedgerRow, reason: str) -> None:
    """Let what is left of a checkpoint make room for what has its name next."""
    draft.add(
        set_aside(campaign, ledger),
        subject=f"checkpoint/{campaign}@{ledger.which}",
        reason=reason,
        cause=ledger.path,
        source="drift",
    )


def set_aside(campaign: str, ledger: LedgerRow) -> SetAsideCheckpoint:
    """Return what moves a checkpoint of the ledger out of its place."""
    return SetAsideCheckpoint(
        campaign=campaign,
        campaign_uid=ledger.campaign_uid,
        segment=ledger.segment,
        step=ledger.step,
        digest=ledger.digest,
        aside=not ledger.is_living,
    )


def _aside(ledger: LedgerRow) -> str:
    """Return where the folder lies once it was set aside, below the root."""
    return f"{ledger.path.rpartition('/')[0]}/{damaged_folder(ledger.step, ledger.digest)}"
