"""A checkpoint whose locked values are not its hero's is not gone on from: it is refused with both values."""

from reconciler.plan.config_changes import place_in_hero
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.contract.locked import first_unlike, locked_values
from state.contract.run_config import RunConfig


def block_other_checkpoint(world: World, draft: Draft, campaign: str, config: RunConfig) -> bool:
    """Say that the checkpoint to go on from belongs to another model than the hero, if it does."""
    newest = world.newest_checkpoint(campaign)
    if newest is None or newest.manifest.locked is None:
        return False
    unlike = first_unlike(newest.manifest.locked, locked_values(config))
    if unlike is None:
        return False
    hero = campaign.partition("/")[0]
    draft.block(
        f"campaign/{campaign}",
        code="locked",
        message=f"{unlike.key} of checkpoint-{newest.step} is {unlike.found}; the hero says {unlike.asked}: "
        "it is locked along a lineage",
        cause=world.where(f"hero/{hero}", *place_in_hero(unlike.key)),
        hint=f"undo the change, or write a new campaign of {hero}; this one keeps its checkpoints",
    )
    return True
