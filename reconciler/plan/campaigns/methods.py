"""What a checkpoint's weights become where a run goes on from it by another method or optimizer. Pure."""

from reconciler.observed.start_records import StartFolder
from reconciler.plan.campaigns.starting_checkpoints import NoStart
from state.contract.adapters import AdapterBase, adapter_shape, adapter_words, opened_with_peft
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
    had, wanted = saved.locked.adapter if saved.locked is not None else None, adapter_shape(config.training)
    if None not in (had, wanted) and had != wanted:
        return NoStart(
            "adapters",
            f"it holds {adapter_words(had)}; the specs ask for {adapter_words(wanted)}",
            "train it by the same method and lora section, or by method: full, which merges them",
        )
    return None


def adapters_on_a_checkpoint(saved: Manifest) -> NoStart | None:
    """Return that a checkpoint's adapters are on weights that only its own campaign has, if they are."""
    base = _checkpoint_below(saved)
    if base is None:
        return None
    return NoStart(
        "adapters",
        f"it holds adapters on checkpoint-{base.step} of {saved.campaign}, which only that campaign has",
        f"begin with that one, without what they have learnt; or merge them: reconcile export "
        f"{saved.campaign}@{saved.step} --to DIR says how both are opened; with .merge_and_unload() and "
        f".save_pretrained(MERGED) behind that, begin with MERGED",
    )


def adapters_in_a_folder(found: StartFolder) -> NoStart | None:
    """Return that a folder's adapters are on another checkpoint, if they are, and what to begin with.

    A beginning is one checkpoint. Two, of which the second is found by the first's digest, would be none.
    """
    saved, folder = found.manifest, str(found.folder)
    base = _checkpoint_below(saved) if saved is not None else None
    if saved is None or base is None:
        return None
    problem = f"it holds adapters on checkpoint-{base.step} of {saved.campaign}"
    if found.below is None:
        return NoStart(
            "adapters",
            f"{problem}, which does not lie beside it",
            "export it again from its own realm, it comes along: reconcile export CHECKPOINT --to DIR",
        )
    merged = f"{opened_with_peft(found.below, folder)}.merge_and_unload().save_pretrained(MERGED)"
    return NoStart(
        "adapters",
        f"{problem}, and a campaign begins with whole weights, or with adapters on its hero's own",
        f"begin with {found.below}, without what they have learnt; or merge them, and begin with MERGED: "
        f"{merged}",
    )


def _checkpoint_below(saved: Manifest) -> AdapterBase | None:
    base = saved.adapter_base
    return base if base is not None and base.kind == "checkpoint" else None
