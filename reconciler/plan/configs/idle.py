"""Settings of the active campaign that are said and have no effect."""

from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.unsupported import idle_settings
from reconciler.plan.draft import Draft
from reconciler.plan.world import World


def plan_idle_settings(world: World, draft: Draft) -> None:
    """Warn of each setting of the active campaign that nothing follows from."""
    if world.active is None or world.active not in world.desired.campaigns:
        return
    for found in idle_settings(resolve(layers_of(world.desired, world.active))):
        draft.warnings.append(f"campaign/{world.active}: {found.reason} ({found.origin})")
