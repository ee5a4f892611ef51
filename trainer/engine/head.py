"""The head and its cross entropy in chunks: logits of a few tokens at a time, their gradient at once.

A chunk's gradient is made while its logits are at hand, so nothing is kept of them and nothing computed
twice (as in Liger kernels, arXiv 2410.10989, section 3.2). Beside full logits (5 GB for 2,048 tokens of a
vocabulary of 151,936, with their float32 copies and gradients) only one chunk is ever there.

Shapes: N trained tokens, D hidden width, V vocabulary, C tokens of a chunk.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax
from torch.utils.checkpoint import checkpoint

from state.contract.memory_need import CHUNK_LOGITS, MIN_CHUNK
from trainer.engine.products import add_product, product


def summed_cross_entropy(head: nn.Module, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """Return the cross entropy of the head's logits in nats, summed over the tokens, as a scalar.

    A head with more than a plain matrix (a bias, an adapter) goes through in chunks that the backward pass
    computes again.
    """
    rows = chunk_rows(head.weight.shape[0], hidden_ND.device.type)
    if torch.is_grad_enabled() and _is_plain(head):
        total: Tensor = _ChunkedHead.apply(hidden_ND, head.weight, targets_N, rows)
        return total
    if len(hidden_ND) <= rows:
        return _cross_entropy(head, hidden_ND, targets_N)
    chunks = zip(hidden_ND.split(rows), targets_N.split(rows), strict=True)
    losses = [checkpoint(_cross_entropy, head, h, t, use_reentrant=False) for h, t in chunks]
    return torch.stack(losses).sum()


def chunk_rows(vocab_size: int, device_type: str) -> int:
    """Return how many tokens' logits are there at once."""
    return max(MIN_CHUNK, CHUNK_LOGITS[device_type] // vocab_size)


def _is_plain(head: nn.Module) -> bool:
    return type(head) is nn.Linear and head.bias is None


def _cross_entropy(head: nn.Module, hidden_CD: Tensor, targets_C: Tensor) -> Tensor:
    return cross_entropy(_wide(head(hidden_CD)), targets_C, reduction="sum")


def _wide(logits: Tensor) -> Tensor:
    """Return half precision as float32; sums over a vocabulary need it."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


class _ChunkedHead(torch.autograd.Function):  # type: ignore[misc]  # torch has no type for it
    """The summed loss; its gradients were made on the way."""

    @staticmethod
    def forward(ctx: Any, hidden_ND: Tensor, weight_VD: Tensor, targets_N: Tensor, rows: int) -> Tensor:
        device_type = hidden_ND.device.type
        product_dtype = (
            torch.get_autocast_dtype(device_type)
            if torch.is_autocast_enabled(device_type)
            else hidden_ND.dtype
        )
        with torch.autocast(device_type, enabled=False):
            total, d_hidden, d_weight = _loss_and_gradients(
                hidden_ND.to(product_dtype),
                weight_VD.to(product_dtype),
                targets_N,
                rows,
                is_head_learnt=weight_VD.requires_grad,
            )
        ctx.dtypes = hidden_ND.dtype, weight_VD.dtype
        ctx.save_for_backward(d_hidden, d_weight)
        return total

    @staticmethod
    def backward(ctx: Any, *d_total: Tensor) -> tuple[Tensor | None, ...]:
        d_hidden, d_weight = ctx.saved_tensors
        hidden_dtype, weight_dtype = ctx.dtypes
        (scale,) = d_total
        learnt = None if d_weight is None else d_weight.mul_(scale).to(weight_dtype)
        return d_hidden.mul_(scale).to(hidden_dtype), learnt, None, None


def _loss_and_gradients(
    hidden_ND: Tensor, weight_VD: Tensor, targets_N: Tensor, rows: int, *, is_head_learnt: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the summed loss, and its gradients by the hidden states and, if asked for, by the weight."""
    exact = torch.promote_types(hidden_ND.dtype, torch.float32)
    total = torch.zeros((), dtype=exact, device=hidden_ND.device)
    d_hidden = torch.empty_like(hidden_ND, dtype=exact)
    d_weight = torch.zeros_like(weight_VD, dtype=exact) if is_head_learnt else None
    for start in range(0, len(hidden_ND), rows):
        chunk = slice(start, start + rows)
        total -= _of_chunk(hidden_ND[chunk], weight_VD, targets_N[chunk], d_hidden[chunk], d_weight)
    return total, d_hidden, d_weight


def _of_chunk(
    chunk_CD: Tensor, weight_VD: Tensor, targets_C: Tensor, d_chunk_CD: Tensor, d_weight: Tensor | None
) -> Tensor:
    """Return the chunk's summed log-likelihood; put its gradients in place. Its logits end with this call."""
    wanted_C1 = targets_C[:, None]
    scores_CV = log_softmax(_wide(product(chunk_CD, weight_VD.t())), dim=-1)
    found = scores_CV.gather(1, wanted_C1).sum()
    shares_CV = scores_CV.exp_()
    shares_CV.scatter_add_(1, wanted_C1, torch.full_like(wanted_C1, -1, dtype=shares_CV.dtype))
    d_logits_CV = shares_CV.to(chunk_CD.dtype)
    d_chunk_CD.copy_(product(d_logits_CV, weight_VD))
    if d_weight is not None:
        add_product(d_weight, d_logits_CV, chunk_CD)
    return found
