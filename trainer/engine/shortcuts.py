"""What this engine computes in another way than a model's own modules: the same result, less work.

The last layer's block behind attention is made only where a token's output is read: at the places that
predict a trained token. And a norm keeps one tensor for its backward pass, which then takes half the passes
over memory. Both are done for layers and norms that are known by name, and left alone in other models.

Shapes: B = 1, T tokens, N places that are read, D width.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor

_LAYERS = frozenset(("LlamaDecoderLayer", "MistralDecoderLayer", "Qwen2DecoderLayer", "Qwen3DecoderLayer"))
"""Whose forward pass is that of `_layer_where_read`."""
_NORMS = frozenset(("LlamaRMSNorm", "MistralRMSNorm", "Qwen2RMSNorm", "Qwen3RMSNorm"))
"""Whose forward pass is that of `_norm`."""


def use_shortcuts(model: Any) -> None:
    """Make a model take the shortcuts from now on; its weights, their names and its config are as before."""
    for module in model.modules():
        if type(module).__name__ in _NORMS:
            module.forward = partial(_norm, module)
    layers: Any = getattr(model.base_model, "layers", ())
    if len(layers) == model.config.num_hidden_layers and type(layers[-1]).__name__ in _LAYERS:
        layers[-1].forward = partial(_layer_where_read, layers[-1])


def _layer_where_read(layer: Any, hidden_BTD: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return the layer's output at the places that are read, shape (1, N, D); of all where none are named."""
    attended_BTD, _ = layer.self_attn(layer.input_layernorm(hidden_BTD), *args, **kwargs)
    documents = kwargs.get("documents")
    if documents is not None and documents.read is not None:
        hidden_BTD, attended_BTD = hidden_BTD[:, documents.read], attended_BTD[:, documents.read]
    hidden = hidden_BTD + attended_BTD
    out: Tensor = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
    return out


def _norm(norm: Any, hidden: Tensor) -> Tensor:
    """Return the hidden states divided by their root mean square, times the norm's weight."""
    normed: Tensor = _RootMeanSquare.apply(hidden, norm.weight, norm.variance_epsilon)
    return normed


class _RootMeanSquare(torch.autograd.Function):  # type: ignore[misc]  # torch has no type for it
    """y = weight * x / rms(x) over the last dimension (Zhang and Sennrich, arXiv 1910.07467, equation 4)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        inverse = torch.linalg.vecdot(wide, wide).div_(x.shape[-1]).add_(epsilon).rsqrt_()[..., None]
        normed = wide * inverse
        ctx.save_for_backward(normed, inverse, weight)
        ctx.dtype = x.dtype
        return weight * normed.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *d_out: Tensor) -> tuple[Tensor | None, ...]:
        normed, inverse, weight = ctx.saved_tensors
        (d_y,) = d_out
        d_weight = (d_y * normed).flatten(0, -2).sum(0).to(weight.dtype) if ctx.needs_input_grad[1] else None
        d_normed = (d_y * weight).to(normed.dtype)
        mean = torch.linalg.vecdot(d_normed, normed).div_(normed.shape[-1])[..., None]
        d_x = torch.addcmul(d_normed, normed, mean, value=-1).mul_(inverse).to(ctx.dtype)
        return d_x, d_weight, None
