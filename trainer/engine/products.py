"""Products of tokens and matrices in bfloat16 on a CPU: of a few sizes, and those of the same tokens at once.

oneDNN prepares a product anew for each new number of rows: some 2 ms each, where the product itself takes a
tenth of that in a tiny model; and flat rows of documents hardly ever have the same length twice. So tokens go
through in blocks of BLOCK_TOKENS, and what is left is filled up with zeros to a multiple that grows with it
(STEPS): 19 sizes in all, whatever the data. Zeros add nothing to a sum, and what comes out of them is cut
off. Nothing else is filled up.

Shapes: T tokens, K and N widths.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

BLOCK_TOKENS = 4096
STEPS = {256: 64, BLOCK_TOKENS: 256}
"""Up to so many tokens a block is filled up to a multiple of this."""


def products(
    tokens: Tensor, modules: Sequence[nn.Module], orders: Sequence[Tensor] = ()
) -> tuple[Tensor, ...]:
    """Return what linear modules make of the same tokens, (..., T, K), in blocks where those are of use.

    Anything but a plain matrix (a bias, an adapter, four bits) is left to the module itself.
    `orders` of the first modules' outputs, for plain matrices alone: what stands at a place stood there.
    """
    if not are_for_products(tokens, modules):
        return tuple(module(tokens) for module in modules)
    weights = [module.weight for module in modules]
    for number, order in enumerate(orders):
        weights[number] = weights[number].index_select(0, order)
    found = _Products.apply(tokens.flatten(0, -2), *weights)
    return tuple(one.unflatten(0, tokens.shape[:-1]) for one in found)


def are_for_products(tokens: Tensor, modules: Sequence[nn.Module]) -> bool:
    """Are the modules plain matrices, by which autocast would multiply in bfloat16 on a CPU?"""
    return _is_half_on_a_cpu(tokens) and all(type(one) is nn.Linear and one.bias is None for one in modules)


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
        tokens = filled([tokens_TK])
        joined_NK = torch.cat([weight.to(torch.bfloat16) for weight in weights])
        ctx.types = tokens_TK.dtype, *(weight.dtype for weight in weights)
        ctx.sizes, ctx.num_tokens = [len(weight) for weight in weights], len(tokens_TK)
        ctx.save_for_backward(tokens if any(ctx.needs_input_grad[1:]) else None, joined_NK)
        out_TN = times(tokens, joined_NK.t())[: len(tokens_TK)]
        return tuple(out_TN.split(ctx.sizes, dim=1))

    @staticmethod
    def backward(ctx: Any, *d_out: Tensor) -> tuple[Tensor | None, ...]:
        tokens, joined_NK = ctx.saved_tensors
        token_type, *types = ctx.types
        needs_tokens, *needed = ctx.needs_input_grad
        d_made = filled(d_out)
        d_tokens = times(d_made, joined_NK)[: ctx.num_tokens].to(token_type) if needs_tokens else None
        if not any(needed):
            return d_tokens, *(None for _ in needed)
        d_joined_NK = summed(d_made, tokens)
        parts = zip(d_joined_NK.split(ctx.sizes), types, needed, strict=True)
        return d_tokens, *(part.to(exact) if is_needed else None for part, exact, is_needed in parts)


def product(tokens_TK: Tensor, matrix_KN: Tensor) -> Tensor:
    """Return the product, shape (T, N), without a gradient; of bfloat16 on a CPU in blocks."""
    if not _are_for_blocks(tokens_TK, matrix_KN):
        return tokens_TK @ matrix_KN
    return times(filled([tokens_TK]), matrix_KN)[: len(tokens_TK)]


def add_product(sum_NK: Tensor, left_TN: Tensor, right_TK: Tensor) -> None:
    """Add the transposed left times the right; of bfloat16 on a CPU in blocks."""
    if _are_for_blocks(left_TN, right_TK):
        for left, right in _blocks(filled([left_TN]), filled([right_TK])):
            sum_NK += left.t() @ right
    elif sum_NK.dtype == left_TN.dtype:
        sum_NK.addmm_(left_TN.t(), right_TK)
    else:
        sum_NK += left_TN.t() @ right_TK


def _are_for_blocks(*tensors: Tensor) -> bool:
    return all(one.dtype == torch.bfloat16 and one.device.type == "cpu" for one in tensors)


def filled(parts: Sequence[Tensor]) -> Tensor:
    """Return what stands side by side as one matrix in bfloat16, with zeros up to a full step of tokens."""
    num_tokens, widths = len(parts[0]), [part.shape[1] for part in parts]
    if len(parts) == 1 and parts[0].dtype == torch.bfloat16 and _filled_up(num_tokens) == num_tokens:
        return parts[0]
    out = parts[0].new_empty(_filled_up(num_tokens), sum(widths), dtype=torch.bfloat16)
    for part, place in zip(parts, out[:num_tokens].split(widths, dim=1), strict=True):
        place.copy_(part)
    out[num_tokens:] = 0
    return out


def _filled_up(num_tokens: int) -> int:
    """Return how many tokens a matrix has when its last block is filled up."""
    last = num_tokens % BLOCK_TOKENS
    step = next(step for most, step in STEPS.items() if last <= most)
    return num_tokens + -last % step


def times(filled_TK: Tensor, matrix_KN: Tensor) -> Tensor:
    """Return the product block by block."""
    if len(filled_TK) <= BLOCK_TOKENS:
        return filled_TK @ matrix_KN
    out = matrix_KN.new_empty(len(filled_TK), matrix_KN.shape[1])
    for block, part in _blocks(filled_TK, out):
        torch.mm(block, matrix_KN, out=part)
    return out


def summed(left_TN: Tensor, right_TK: Tensor) -> Tensor:
    """Return the transposed left times the right, summed over the blocks in float32."""
    first, *others = _blocks(left_TN, right_TK)
    total = (first[0].t() @ first[1]).float()
    for left, right in others:
        total += left.t() @ right
    return total


def _blocks(*matrices: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Yield the same tokens of all matrices, block by block."""
    return zip(*(matrix.split(BLOCK_TOKENS) for matrix in matrices), strict=True)
