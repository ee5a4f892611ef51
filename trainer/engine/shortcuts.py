"""What this engine computes in another way than a model's own modules: the same result, less work.

Of the last layer queries, keys and values are made of every token; the rest is made where a token's output
is read: at the places that predict a trained token. A norm keeps one tensor for its backward pass, which then
takes half the passes over memory; the turning of queries and keys by their positions keeps none. Products in
bfloat16 go through a CPU in blocks (`products.py`). All of it is done for modules that are known by name, and
left alone in other models.

Shapes: B = 1, T tokens, N places that are read, D width; H heads of width W.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface

from trainer.engine.gated import gated_block
from trainer.engine.products import are_for_products, products
from trainer.engine.turning import pairs, turned, turned_in_pairs, turns_of_pairs

_LAYERS = frozenset(("LlamaDecoderLayer", "MistralDecoderLayer", "Qwen2DecoderLayer", "Qwen3DecoderLayer"))
"""Whose forward pass is that of `_layer_where_read`."""
_ATTENTIONS = frozenset(("LlamaAttention", "Qwen2Attention", "Qwen3Attention"))
"""Whose forward pass is that of `_attend`."""
_MLPS = frozenset(("LlamaMLP", "MistralMLP", "Qwen2MLP", "Qwen3MLP"))
"""Whose forward pass is that of `_gated`."""
_NORMS = frozenset(("LlamaRMSNorm", "MistralRMSNorm", "Qwen2RMSNorm", "Qwen3RMSNorm"))
"""Whose forward pass is that of `_norm`."""


def use_shortcuts(model: Any) -> None:
    """Make a model take the shortcuts from now on; its weights, their names and its config are as before."""
    for module in model.modules():
        if type(module).__name__ in _NORMS:
            module.forward = partial(_norm, module)
        if type(module).__name__ in _ATTENTIONS:
            module.forward = partial(_attend, module)
        if type(module).__name__ in _MLPS:
            module.forward = partial(_gated, module)
    layers: Any = getattr(model.base_model, "layers", ())
    if len(layers) == model.config.num_hidden_layers and type(layers[-1]).__name__ in _LAYERS:
        layers[-1].forward = partial(_layer_where_read, layers[-1])
        if type(layers[-1].self_attn).__name__ in _ATTENTIONS:
            layers[-1].self_attn.forward = partial(_attend, layers[-1].self_attn, is_last=True)


def _layer_where_read(layer: Any, hidden_BTD: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return the layer's output at the places that are read, shape (1, N, D); of all where none are named."""
    attended_BTD, _ = layer.self_attn(layer.input_layernorm(hidden_BTD), *args, **kwargs)
    documents = kwargs.get("documents")
    if documents is not None and documents.read is not None:
        hidden_BTD = hidden_BTD[:, documents.read]
        if attended_BTD.shape[1] != hidden_BTD.shape[1]:  # an attention of its own: see `_ATTENTIONS`
            attended_BTD = attended_BTD[:, documents.read]
    hidden = hidden_BTD + attended_BTD
    out: Tensor = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
    return out


def _attend(
    attention: Any,
    hidden_states: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    *args: Any,
    is_last: bool = False,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Return what attention adds to each token, shape (1, T, D); of the last layer to those that are read."""
    documents = kwargs.get("documents")
    if documents is None:  # generation, which has a cache of keys and values
        found: tuple[Tensor, None] = type(attention).forward(
            attention, hidden_states, position_embeddings, *args, **kwargs
        )
        return found
    query, key, value = _heads(attention, hidden_states, position_embeddings)
    take = AttentionInterface()[attention.config._attn_implementation]
    taken_BTHW, _ = take(
        attention,
        *(tensor.transpose(1, 2) for tensor in (query, key, value)),
        attention_mask=None,
        documents=documents,
        scaling=attention.scaling,
        dropout=attention.attention_dropout if attention.training else 0.0,
        sliding_window=getattr(attention, "sliding_window", None),
    )
    if is_last and documents.read is not None:
        taken_BTHW = taken_BTHW[:, documents.read]
    (out,) = products(taken_BTHW.flatten(2), (attention.o_proj,))
    return out, None


def _heads(
    attention: Any, hidden_BTD: Tensor, position_embeddings: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return queries, keys and values by heads, (1, T, H, W): normed where the model norms them, and turned.

    Where our own products make them, what a position turns together is side by side in queries and keys.
    """
    makers, width = (attention.q_proj, attention.k_proj, attention.v_proj), attention.head_dim
    in_pairs = are_for_products(hidden_BTD, makers)
    orders = [pairs(len(maker.weight) // width, width) for maker in makers[:2]] if in_pairs else ()
    query, key, value = (made.unflatten(-1, (-1, width)) for made in products(hidden_BTD, makers, orders))
    if hasattr(attention, "q_norm"):
        order = pairs(1, width) if in_pairs else None
        query, key = _norm(attention.q_norm, query, order), _norm(attention.k_norm, key, order)
    cos, sin = (part.unsqueeze(2) for part in position_embeddings)
    if in_pairs:
        turns = turns_of_pairs(cos, sin)
        return turned_in_pairs(query, turns), turned_in_pairs(key, turns), value
    return turned(query, cos, sin), turned(key, cos, sin), value


def _gated(mlp: Any, hidden_BTD: Tensor) -> Tensor:
    """Return what the feed-forward part adds to each token."""
    modules = mlp.gate_proj, mlp.up_proj, mlp.down_proj
    if mlp.config.hidden_act == "silu" and are_for_products(hidden_BTD, modules):
        return gated_block(hidden_BTD, *(module.weight for module in modules))
    gate, up = products(hidden_BTD, modules[:2])
    (out,) = products(mlp.act_fn(gate) * up, modules[2:])
    return out


def _norm(norm: Any, hidden: Tensor, order: Tensor | None = None) -> Tensor:
    """Return the hidden states divided by their root mean square, times the norm's weight (in that order)."""
    weight = norm.weight if order is None else norm.weight.index_select(0, order)
    normed: Tensor = _RootMeanSquare.apply(hidden, weight, norm.variance_epsilon)
    return normed


class _RootMeanSquare(torch.autograd.Function):  # type: ignore[misc]  # torch has no type for it
    """y = weight * x / rms(x) over the last dimension (Zhang and Sennrich, arXiv 1910.07467, equation 4)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        lengths = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
        inverse = lengths.square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        normed = wide * inverse
        ctx.save_for_backward(normed, inverse, weight)
        ctx.dtype = x.dtype
        return weight * (normed if weight.dtype == normed.dtype else normed.to(x.dtype))

    @staticmethod
    def backward(ctx: Any, *d_out: Tensor) -> tuple[Tensor | None, ...]:
        normed, inverse, weight = ctx.saved_tensors
        (d_y,) = d_out
        products = (d_y * normed).flatten(0, -2)
        d_weight = products.sum(0).to(weight.dtype) if ctx.needs_input_grad[1] else None
        mean = products.mv(weight.to(products.dtype)).div_(len(weight)).view(inverse.shape)
        d_normed = (d_y * weight).to(normed.dtype)
        d_x = d_normed.addcmul_(normed, mean, value=-1).mul_(inverse).to(ctx.dtype)
        return d_x, d_weight, None
