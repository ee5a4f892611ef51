"""Where a rate that falls by itself comes to rest. Pure."""

from typing import NamedTuple

from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.schedulers import FALLING
from reconciler.plan.segments.lowered_rates import lowered
from reconciler.plan.world import World


class Floor(NamedTuple):
    """Where a falling rate comes to rest."""

    since: int
    """From this update on it stays."""
    rate: float
    share: float
    """Of learning_rate."""
    origin: str
    """The line that names the update."""

    @property
    def text(self) -> str:
        """Return it in words."""
        return f"from update {self.since:,} on it stays at {self.rate:g}, {self.share:.3g} of learning_rate"


def floor_of(world: World, campaign: str) -> Floor | None:
    """Return the floor of a campaign's rate; None where it does not fall, or nobody says until when."""
    row = world.facts.campaign_row(campaign)
    segments = world.facts.segments_of(row.uid) if row is not None else ()
    settings = lowered(resolve(layers_of(world.desired, campaign)), row, segments)
    until, share = settings["schedule_updates"], settings["final_rate_ratio"].value
    falls = settings["lr_scheduler"].value in FALLING and until.value is not None and share < 1
    return Floor(until.value, share * settings["learning_rate"].value, share, until.origin) if falls else None
