"""Noting how updates are made, so that a checkpoint can be made again: see `state/contract/recipe.py`."""

import msgspec
import torch

from state.contract.recipe import Recipe, Turn, with_turn
from state.contract.run_config import RunConfig
from trainer.engine.run_state import RunState


def begin_recipe(state: RunState, device: torch.device) -> None:
    """Note with what this process makes its updates."""
    recipe = Recipe(
        device=str(device),
        device_name=torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        precision=state.precision,
        threads=torch.get_num_threads(),
        torch_version=str(torch.__version__),
        is_packed=state.shelf.is_packing,
    )
    state.progress = msgspec.structs.replace(state.progress, recipe=recipe)


def note_turn(state: RunState, *, config: RunConfig | None = None, tokens_at_once: int | None = None) -> None:
    """Note that from the next update on another config is in force, or less goes through at once."""
    progress = state.progress
    if progress.recipe is not None:
        turn = Turn(update=progress.step + 1, config=config, tokens_at_once=tokens_at_once)
        state.progress = msgspec.structs.replace(progress, recipe=with_turn(progress.recipe, turn))
