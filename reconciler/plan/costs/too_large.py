"""Before a launch: is a model too large for its device, whatever its updates are? Pure.

Weights, gradients and moments follow from the config, and neither shorter documents nor smaller micro-batches
lower them. Where they alone exceed what the device has, a trainer would take all of it and die, and on a CPU
others of the machine with it. What an update needs beside them is shown (`memory`), and blocks nothing.
"""

from reconciler.plan.costs.memory import measured_peak, model_memory
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import size
from state.contract.run_config import RunConfig

_SMALLER = {
    "full": "a smaller model, or method: lora or qlora, without gradients and moments of frozen weights",
    "lora": "a smaller model, or method: qlora",
    "qlora": "a smaller model",
}


def block_too_large(world: World, draft: Draft, campaign: str, config: RunConfig, device: str) -> bool:
    """Say that a model does not fit its device, if it does not; a run like it that did is better evidence."""
    found = model_memory(world.facts, campaign, config, device)
    needs, has = found.state_bytes, found.device_bytes
    if needs is None or has is None or needs <= has or measured_peak(world.facts, config, device):
        return False
    state = "its weights, gradients and moments"
    hero = f"hero/{campaign.partition('/')[0]}"
    draft.block(
        f"campaign/{campaign}",
        code="model-too-large",
        message=f"does not fit: {state} alone take {size(needs)}, and {device} has {size(has)}",
        cause=world.where(hero, "model", "config" if config.model.init == "scratch" else "hf_name"),
        hint=f"{_SMALLER[config.training.method]}; or a machine with more memory",
    )
    return True
