"""What the drops of a plan destroy: checkpoints, bytes, and the hours of GPU work that nothing else holds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from reconciler.desired.realm import ApproveAbove, size_bytes
from reconciler.plan.actions import DeleteCampaign, DemoteCheckpoint, TrashCheckpoint
from reconciler.plan.world import World
from state.amounts import count
from state.store.rows import CampaignRow, RunRow

Drop = TrashCheckpoint | DeleteCampaign | DemoteCheckpoint
"""What destroys something: a checkpoint, its optimizer's state, or a campaign whole."""


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """What is gone when the trash is emptied."""

    checkpoints: int
    """Gone whole."""
    size_bytes: int
    """Of these, and of the optimizer state of the others."""
    gpu_hours: float
    """Training beyond the newest checkpoint that stays."""
    demoted: int = 0
    """Others, that keep their weights only."""
    demoted_bytes: int = 0
    """Of their optimizer state; part of `size_bytes`."""


def losses_of(world: World, drops: Sequence[Drop], beside: Collection[Drop] = ()) -> Losses:
    """Return what these drops destroy together; `beside` go too, and hold no work of theirs."""
    by_campaign: dict[str, set[int]] = {}
    going = {sequence for drop in beside for sequence in _sequences(world, drop)}
    for drop in drops:
        by_campaign.setdefault(drop.campaign, set()).update(_sequences(world, drop))
    demoted = [drop for drop in drops if isinstance(drop, DemoteCheckpoint)]
    return Losses(
        checkpoints=sum(map(num_checkpoints, drops)),
        size_bytes=sum(drop.size_bytes for drop in drops),
        gpu_hours=sum(_gpu_seconds(world, name, gone | going) for name, gone in by_campaign.items()) / 3600,
        demoted=len(demoted),
        demoted_bytes=sum(drop.size_bytes for drop in demoted),
    )


def num_checkpoints(drop: Drop) -> int:
    """Return how many checkpoints a drop destroys whole."""
    if isinstance(drop, DemoteCheckpoint):
        return 0
    return drop.checkpoints if isinstance(drop, DeleteCampaign) else 1


def lost_text(checkpoints: int, demoted: int) -> str:
    """Return in words what is destroyed: so many checkpoints whole, of others the optimizer's state."""
    if not demoted:
        return count(checkpoints, "checkpoint")
    if not checkpoints:
        return f"the optimizer state of {count(demoted, 'checkpoint')}"
    return f"{count(checkpoints, 'checkpoint')} and the optimizer state of {demoted:,} more"


def _sequences(world: World, drop: Drop) -> Iterable[int]:
    """Return the ledger rows whose checkpoints go; of one that keeps its weights none."""
    if isinstance(drop, DemoteCheckpoint):
        return []
    if isinstance(drop, DeleteCampaign):
        return [row.sequence for row in world.facts.ledger_of(drop.campaign_uid)]
    return [drop.sequence]


def above(losses: Losses, limits: ApproveAbove) -> tuple[str, ...]:
    """Return in words what exceeds its limit; nothing: a person need not approve it."""
    size, hours = f"{losses.size_bytes / 1e9:.3g} GB", f"{losses.gpu_hours:.3g} GPU-hours of work"
    found = (
        (
            losses.checkpoints + losses.demoted > limits.checkpoints,
            f"{lost_text(losses.checkpoints, losses.demoted)} (limit {limits.checkpoints:,})",
        ),
        (losses.size_bytes > size_bytes(limits.size), f"{size} (limit {limits.size})"),
        (losses.gpu_hours > limits.gpu_hours, f"{hours} (limit {limits.gpu_hours:g})"),
    )
    return tuple(words for is_above, words in found if is_above)


def _gpu_seconds(world: World, campaign: str, dropped: set[int]) -> float:
    """Return the GPU time of a campaign's runs beyond the last step that stays."""
    row = world.facts.campaign_row(campaign)
    if row is None:
        return 0.0
    kept = _last_kept_step(world, row, dropped)
    return sum(seconds_beyond(run, kept, world.now) for run in _on_gpu(world.facts.runs_of(row.uid)))


def _last_kept_step(world: World, row: CampaignRow, dropped: set[int]) -> int:
    there: Mapping[str, int] = {
        found.digest: found.step for found in world.seen(row.name).checkpoints.complete
    }
    kept = (one for one in world.facts.ledger_of(row.uid) if one.sequence not in dropped)
    return max((one.step for one in kept if one.digest in there), default=row.starting_step)


def _on_gpu(runs: Iterable[RunRow]) -> Iterable[RunRow]:
    return (run for run in runs if run.device.startswith("cuda"))


def seconds_beyond(run: RunRow, step: int, now: str) -> float:
    """Return the share of a run's time in which it trained what lies beyond a step."""
    begin, end = run.resume_step or 0, run.final_step or run.last_checkpoint_step or 0
    if end <= step:
        return 0.0
    seconds = _between(run.launched_at, run.ended_at or now)
    return seconds * (end - max(begin, step)) / (end - begin) if end > begin else 0.0


def _between(earlier: str, later: str) -> float:
    elapsed = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return max(0.0, elapsed.total_seconds())
