"""The frozen weights below adapters: in the precision of their products, or with the adapters merged in."""

from typing import Any

import torch

from trainer.engine.adapters import ADAPTER
from trainer.engine.device import Precision
from trainer.engine.extras import optional_library
from trainer.engine.four_bit import linear_layers, plain_linear


def keep_frozen_in(model: Any, precision: Precision) -> Any:
    """Keep the frozen layers in the precision of their products: autocast would round them each time.

    Adapters stay float32, as do norms and embeddings. Returns the model.
    """
    if precision == "bf16":
        for layer in linear_layers(model).values():
            if layer.weight.dtype == torch.float32 and not layer.weight.requires_grad:
                layer.weight.data = layer.weight.data.to(torch.bfloat16)
    return model


def merge_adapters(model: Any) -> Any:
    """Return the model as one of float32 weights that computes the same, every one of them trainable."""
    layers = optional_library("peft.tuners.lora", method="lora")
    found = [(name, one) for name, one in model.named_modules() if isinstance(one, layers.LoraLayer)]
    for name, adapted in found:
        plain = plain_linear(adapted.get_base_layer())
        with torch.no_grad():
            plain.weight += _change(adapted)
        model.set_submodule(name, plain)
    for name, layer in linear_layers(model).items():
        model.set_submodule(name, plain_linear(layer))
    model.is_loaded_in_4bit = False
    del model.peft_config
    model._hf_peft_config_loaded = False
    return model.requires_grad_(requires_grad=True)


def _change(adapted: Any) -> torch.Tensor:
    """Return (alpha / rank) B A, what the adapters of a layer add to its weight."""
    product = adapted.lora_B[ADAPTER].weight @ adapted.lora_A[ADAPTER].weight
    change: torch.Tensor = adapted.scaling[ADAPTER] * product
    return change
