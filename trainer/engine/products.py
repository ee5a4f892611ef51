"""Products of tokens and matrices in bfloat16 on a CPU: block by block, so that their sizes repeat.

oneDNN prepares a product anew for each new number of rows: some 2 ms each, where the product itself takes a
tenth of that in a tiny model; and flat rows of documents hardly ever have the same length twice. So tokens go
through in blocks of BLOCK_TOKENS, and what is left is filled up with zeros to a multiple of STEP_TOKENS: 32
sizes in all, whatever the data. Zeros add nothing to a sum, and what comes out of them is cut off. Nothing
else is filled up.

Shapes: T tokens, K and N widths.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

BLOCK_TOKENS = 1024
STEP_TOKENS = 32


def products(tokens: Tensor, modules: Sequence[nn.Module]) -> tuple[Tensor, ...]:
    """Return what linear modules make of the same tokens, (..., T, K), in blocks where those are of use.

    Anything but a plain matrix (a bias, an adapter, four bits) is left to the module itself.
    """
    if not (
        _is_half_on_a_cpu(tokens) and all(type(one) is nn.Linear and one.bias is None for one in modules)
    ):
        return tuple(module(tokens) for module in modules)
    found = _Products.apply(tokens.flatten(0, -2), *(module.weight for module in modules))
    return tuple(one.unflatten(0, tokens.shape[:-1]) for one in found)


def _is_half_on_a_cpu(tokens: Tensor) -> bool:
    """Would autocast multiply these tokens in bfloat16 on a CPU?"""
    if tokens.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
        return False
    is_half: bool = torch.get_autocast_dtype("cpu") == torch.bfloat16
    return is_half and tokens.dtype != torch.float64


class _Products(torch.autograd.Function):  # type: ignore[misc]  # torch has no type for it
    """Tokens times the transposed weights, in bfloat16; gradients by weights in the type of those."""

    @staticmethod
    def forward(ctx: Any, tokens_TK: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        tokens, halves = tokens_TK.to(torch.bfloat16), [weight.to(torch.bfloat16) for weight in weights]
        ctx.types = tokens_TK.dtype, *(weight.dtype for weight in weights)
        ctx.num_tokens = len(tokens)
        ctx.save_for_backward(tokens if any(ctx.needs_input_grad[1:]) else None, *halves)
        blocks = list(_blocks(tokens))
        return tuple(_times(blocks, half.t())[: len(tokens)] for half in halves)

    @staticmethod
    def backward(ctx: Any, *d_out: Tensor) -> tuple[Tensor | None, ...]:
        tokens, *halves = ctx.saved_tensors
        (token_type, *types), (needs_tokens, *needed) = ctx.types, ctx.needs_input_grad
        d_tokens, d_weights = None, []
        blocks = [] if tokens is None else list(_blocks(tokens))  # none: every weight is frozen
        for d_TN, half, exact, is_needed in zip(d_out, halves, types, needed, strict=True):
            d_blocks = list(_blocks(d_TN))
            d_weights.append(_summed(d_blocks, blocks, exact) if is_needed else None)
            if needs_tokens:
                part = _times(d_blocks, half)[: ctx.num_tokens]
                d_tokens = part.to(token_type) if d_tokens is None else d_tokens.add_(part)
        return d_tokens, *d_weights


def product(tokens_TK: Tensor, matrix_KN: Tensor) -> Tensor:
    """Return the product, shape (T, N), without a gradient; of bfloat16 on a CPU in blocks."""
    if not _are_for_blocks(tokens_TK, matrix_KN):
        return tokens_TK @ matrix_KN
    return _times(list(_blocks(tokens_TK)), matrix_KN)[: len(tokens_TK)]


def add_product(sum_NK: Tensor, left_TN: Tensor, right_TK: Tensor) -> None:
    """Add the transposed left times the right; of bfloat16 on a CPU in blocks."""
    if _are_for_blocks(left_TN, right_TK):
        for left, right in zip(_blocks(left_TN), _blocks(right_TK), strict=True):
            sum_NK += left.t() @ right
    elif sum_NK.dtype == left_TN.dtype:
        sum_NK.addmm_(left_TN.t(), right_TK)
    else:
        sum_NK += left_TN.t() @ right_TK


def _are_for_blocks(*tensors: Tensor) -> bool:
    return all(one.dtype == torch.bfloat16 and one.device.type == "cpu" for one in tensors)


def _blocks(tokens: Tensor) -> Iterator[Tensor]:
    """Yield the tokens in blocks, the last one with zeros up to a full step."""
    for block in tokens.split(BLOCK_TOKENS):
        missing = -len(block) % STEP_TOKENS
        yield pad(block, (0, 0, 0, missing)) if missing else block


def _times(blocks: Sequence[Tensor], matrix_KN: Tensor) -> Tensor:
    """Return the blocks times the matrix, with what came of the zeros behind it."""
    if len(blocks) == 1:
        return blocks[0] @ matrix_KN
    out = matrix_KN.new_empty(sum(map(len, blocks)), matrix_KN.shape[1])
    for block, part in zip(blocks, out.split(BLOCK_TOKENS), strict=True):
        torch.mm(block, matrix_KN, out=part)
    return out


def _summed(left: Sequence[Tensor], right: Sequence[Tensor], exact: torch.dtype) -> Tensor:
    """Return the transposed left times the right, summed over the blocks in this type."""
    total = (left[0].t() @ right[0]).to(exact)
    for a, b in zip(left[1:], right[1:], strict=True):
        total += a.t() @ b
    return total
