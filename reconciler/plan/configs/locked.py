"""The locked architecture: it has one source, the hero, and is equal along a lineage.

Keys of it are refused by name in every layer when specs and command line are read; what can only be seen once
the layers are put together, or on the disk, is a launch blocker here.
"""

from collections.abc import Iterator, Mapping

from reconciler.desired.layers import Resolved
from reconciler.plan.configs.hero_checks import LaunchProblem
from reconciler.plan.world import World


def length_problems(world: World, campaign: str, settings: Mapping[str, Resolved]) -> Iterator[LaunchProblem]:
    """Yield that a layer grows max_length beyond what the hero says, if one does: it may only shrink."""
    hero, found = world.desired.hero_of(campaign), settings["max_length"]
    defaults = hero.spec.training_defaults
    own = defaults.max_length if defaults else None
    limit = own if own is not None else hero.spec.model.context_length
    key = ("training_defaults", "max_length") if own is not None else ("model", "context_length")
    if found.value > limit:
        yield LaunchProblem(
            code="locked",
            message=f"max_length is {found.value}; it may shrink and never grow: the hero has {limit} "
            f"({hero.where(*key)})",
            cause=found.origin,
            hint=f"at most {limit}, or another hero",
        )
