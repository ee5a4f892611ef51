"""What a checkpoint's weights become where a run goes on from it by another method or optimizer. Pure."""

from reconciler.plan.campaigns.starting_checkpoints import NoStart
from state.contract.adapters import adapter_shape, adapter_words
from state.contract.manifest import Manifest
from state.contract.run_config import RunConfig


def begins_afresh(saved: Manifest, config: RunConfig) -> str | None:
    """Return with what a run begins anew, in words; None where the optimizer's state is gone on with."""
    had = saved.locked.adapter if saved.locked is not None else None
    wanted, optimizer = adapter_shape(config.training), config.training.optimizer
    if had is None and wanted is not None:
        return f" with fresh adapters on its weights: {wanted}"
    if had is not None and wanted is None:
        return f" with its adapters merged into its weights, and fresh state for {optimizer}"
    if saved.demoted_from is not None:
        return f" with fresh state for {optimizer}, as it has its weights only"
    return f" with fresh state for {optimizer}" if saved.optimizer != optimizer else None


def adapters_misfit(saved: Manifest, config: RunConfig) -> NoStart | None:
    """Return why a campaign with this config cannot begin with a checkpoint's adapters, if it cannot."""
    if (problem := adapters_without_weights(saved)) is not None:
        return problem
    had, wanted = saved.locked.adapter if saved.locked is not None else None, adapter_shape(config.training)
    if None not in (had, wanted) and had != wanted:
        return NoStart(
            "adapters",
            f"it holds {adapter_words(had)}; the specs ask for {adapter_words(wanted)}",
            "train it by the same method and lora section, or by method: full, which merges them",
        )
    return None


def adapters_without_weights(saved: Manifest) -> NoStart | None:
    """Return that a checkpoint's adapters are on weights that lie elsewhere, if they are."""
    base = saved.adapter_base
    if base is None or base.kind != "checkpoint":
        return None
    return NoStart(
        "adapters",
        f"it holds adapters on checkpoint-{base.step} of {saved.campaign}, which only that campaign has",
        "begin with that one, or with one of a campaign with method: full that began with it: it merges them",
    )
