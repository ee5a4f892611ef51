"""A checkpoint whose locked values are not its hero's is not gone on from: it is refused with both values."""

from reconciler.plan.configs.changed import place_in_hero
from reconciler.plan.configs.resolved import ResolvedRun
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.contract.adapters import adapter_words
from state.contract.locked import ADAPTER, Unlike, first_unlike, locked_values


def block_other_checkpoint(world: World, draft: Draft, campaign: str, resolved: ResolvedRun) -> bool:
    """Say that the checkpoint to go on from is of another model, or of other adapters, if it is."""
    newest = world.newest_checkpoint(campaign)
    if newest is None or newest.manifest.locked is None:
        return False
    wanted, is_start = locked_values(resolved.config), newest.manifest.is_start
    unlike = first_unlike(newest.manifest.locked, wanted, is_start=is_start)
    if unlike is None:
        return False
    if unlike.key == ADAPTER:
        _block_other_adapters(draft, campaign, resolved, unlike, newest.step)
    else:
        _block_other_model(world, draft, campaign, unlike, newest.step)
    return True


def _block_other_model(world: World, draft: Draft, campaign: str, unlike: Unlike, step: int) -> None:
    hero = campaign.partition("/")[0]
    draft.block(
        f"campaign/{campaign}",
        code="locked",
        message=f"{unlike.key} of checkpoint-{step} is {unlike.found}; the hero says {unlike.asked}: "
        "it is locked along a lineage",
        cause=world.where(f"hero/{hero}", *place_in_hero(unlike.key)),
        hint=f"undo the change, or write a new campaign of {hero}; this one keeps its checkpoints",
    )


def _block_other_adapters(
    draft: Draft, campaign: str, resolved: ResolvedRun, unlike: Unlike, step: int
) -> None:
    draft.block(
        f"campaign/{campaign}",
        code="locked",
        message=f"checkpoint-{step} holds {unlike.found}; the specs ask for {unlike.asked}: "
        "begun afresh, they would forget what was learnt",
        cause=resolved.settings["method"].origin,
        hint=f"undo the change, or write a new campaign that begins with {campaign}@{step}{_way(unlike)}",
    )


def _way(unlike: Unlike) -> str:
    """Return how a new campaign goes on from these weights by another method."""
    full = adapter_words(None)
    if unlike.found == full:
        return ": fresh adapters are put on its weights"
    return (
        ": its adapters are merged" if unlike.asked == full else " by method: full: its adapters are merged"
    )
