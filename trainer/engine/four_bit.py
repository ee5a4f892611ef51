"""A frozen model in 4 bits (QLoRA, arXiv 2305.14314): nf4 values, their scales quantised once more.

Quantising happens on the CPU whatever the device, so the same weights give the same bits everywhere.
"""

from typing import Any

import torch
from torch import nn

from trainer.engine.device import Precision
from trainer.engine.extras import optional_library

_COMPUTE_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def quantise_body(model: Any, precision: Precision) -> None:
    """Replace every linear layer but the head by one of 4 bits, one after the other.

    Products are made in the precision, from values that are restored for each product. What is no such layer
    becomes float32.
    """
    library = optional_library("bitsandbytes", method="qlora")
    for name, layer in linear_layers(model).items():
        model.set_submodule(name, _quantised(library, layer, _COMPUTE_TYPES[precision]))
    for rest in model.parameters():
        if rest.dtype in (torch.bfloat16, torch.float16):
            rest.data = rest.data.float()
    model.is_loaded_in_4bit = True  # peft looks here for how its layers are to be made


def linear_layers(model: Any) -> dict[str, nn.Linear]:
    """Return every linear layer of the model's body by name; the head is none of them."""
    head = model.get_output_embeddings()
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    }


def plain_linear(layer: nn.Linear) -> nn.Linear:
    """Return a layer with float32 weights that makes the same products as this one, of 4 bits or not."""
    state = getattr(layer.weight, "quant_state", None)
    if state is None:
        return layer
    functional = optional_library("bitsandbytes.functional", method="qlora")
    weight = functional.dequantize_4bit(layer.weight.data, state).to(torch.float32)
    plain = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None, device="meta")
    plain.weight = nn.Parameter(weight)
    if layer.bias is not None:
        plain.bias = nn.Parameter(layer.bias.detach().float())
    return plain


def _quantised(library: Any, layer: nn.Linear, compute_type: torch.dtype) -> Any:
    made = library.nn.Linear4bit(
        layer.in_features,
        layer.out_features,
        bias=layer.bias is not None,
        compute_dtype=compute_type,
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    made.weight = library.nn.Params4bit(
        layer.weight.detach(), requires_grad=False, compress_statistics=True, quant_type="nf4", module=made
    ).to("cpu")
    made.bias = layer.bias
    # Where the CPU has bf16 instructions, a measurement would repack the weights for good, and products of
    # repacked weights give no gradient to what lies before them.
    made.support_avx512bf16_for_cpu = False
    return made
