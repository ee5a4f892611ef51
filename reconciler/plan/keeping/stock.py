"""What is kept of a campaign's checkpoints, as planners ask for it."""

from reconciler.observed.stock import Stock
from reconciler.plan.world import World
from state.store.rows import CampaignRow

__all__ = ["Stock", "stock_of"]


def stock_of(world: World, row: CampaignRow) -> Stock:
    """Return what is known of a campaign's checkpoints; asked again, what was found the first time."""
    return world.facts.stock_of(row)
