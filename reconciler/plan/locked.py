"""The locked architecture: it has one source, the hero, and is equal along a lineage.

Keys of it are refused by name in every layer when specs and command line are read; what can only be seen once
the layers are put together, or on the disk, is a launch blocker here.
"""

from collections.abc import Iterator, Mapping

from reconciler.desired.layers import Resolved
from reconciler.desired.places import Step
from reconciler.plan.draft import Draft
from reconciler.plan.hero_checks import LaunchProblem
from reconciler.plan.world import World
from state.contract.locked import Unlike, first_unlike, locked_values
from state.contract.run_config import RunConfig


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
        cause=world.where(f"hero/{hero}", *_place(unlike)),
        hint=f"undo the change, or write a new campaign of {hero}; this one keeps its checkpoints",
    )
    return True


def _place(unlike: Unlike) -> tuple[Step, ...]:
    """Return where a hero says a locked value."""
    section, *rest = unlike.key.split(".")
    if section == "tokenizer" or rest[0] in ("base_model", "config_digest"):
        return "model", "hf_name"
    return section, *rest
