"""What a checkpoint keeps of the model: every weight, or its adapters alone."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from trainer.engine.adapters import (
    ADAPTER_CONFIG_NAME,
    ADAPTER_NAME,
    adapter_config,
    adapter_tensors,
    has_adapters,
    named_like_ours,
)
from trainer.engine.model import CONFIG_NAME, GENERATION_NAME, WEIGHTS_NAME, copy_tensors, weight_tensors


def model_tensors(model: Any) -> tuple[str, dict[str, torch.Tensor]]:
    """Return the name of the file for the model's tensors, and the tensors."""
    if has_adapters(model):
        return ADAPTER_NAME, adapter_tensors(model)
    return WEIGHTS_NAME, weight_tensors(model)


def model_configs(model: Any) -> dict[str, bytes]:
    """Return the files with which transformers, or peft, knows the model again."""
    if has_adapters(model):
        return {ADAPTER_CONFIG_NAME: adapter_config(model)}
    return {
        CONFIG_NAME: model.config.to_json_string(use_diff=False).encode(),
        GENERATION_NAME: model.generation_config.to_json_string(use_diff=True).encode(),
    }


def load_adapters(model: Any, folder: Path) -> None:
    """Give the model's adapters the values that a checkpoint has.

    Raises:
        EnvironmentFailure: they are of other layers or another rank.
    """
    trained = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    copy_tensors(named_like_ours(load_file(folder / ADAPTER_NAME)), trained, folder / ADAPTER_NAME)
