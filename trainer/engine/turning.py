"""Rotary positions of queries and keys (Su et al., arXiv 2104.09864, eq. 34), half by half or pair by pair.

A model turns the first half of a head by its second half. Where the engine multiplies the weights itself
(`products.py`) it asks for the two parts of a pair side by side, which no score sees, as queries and keys are
in the same order; then a pair is one complex number, and the turning one product: a third of the time.

Shapes: B = 1, T tokens, H heads of width W, W / 2 pairs.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return queries or keys turned by their positions; cosines and sines broadcast to their shape."""
    found: Tensor = _Turned.apply(x, cos, sin)
    return found


def turned_in_pairs(x: Tensor, turns: Tensor) -> Tensor:
    """Return queries or keys turned by their positions, the two parts of each pair side by side."""
    found: Tensor = _TurnedPairs.apply(x, turns)
    return found


def turns_of_pairs(cos: Tensor, sin: Tensor) -> Tensor:
    """Return cos + i sin of each pair; a model's cosines and sines say it twice, once for each half."""
    return torch.complex(*(part[..., : part.shape[-1] // 2].float() for part in (cos, sin)))


@lru_cache(maxsize=64)
def pairs(num_heads: int, width: int) -> Tensor:
    """Return of the outputs of heads, one behind the other, which is where when pairs are side by side."""
    return torch.arange(num_heads * width).view(num_heads, 2, -1).transpose(1, 2).flatten()


class _TurnedPairs(torch.autograd.Function):  # type: ignore[misc]  # torch has no type for it
    """y = x (cos + i sin) with x = x1 + i x2."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, turns: Tensor) -> Tensor:
        ctx.save_for_backward(turns)
        ctx.dtype = x.dtype
        return _times(x, turns)

    @staticmethod
    def backward(ctx: Any, *d_out: Tensor) -> tuple[Tensor | None, ...]:
        (turns,) = ctx.saved_tensors
        return _times(d_out[0], turns.conj().resolve_conj()).to(ctx.dtype), None


def _times(x: Tensor, turns: Tensor) -> Tensor:
    side_by_side = x.float().contiguous().unflatten(-1, (-1, 2))
    return torch.view_as_real(torch.view_as_complex(side_by_side) * turns).flatten(-2)


class _Turned(torch.autograd.Function):  # type: ignore[misc]  # torch has no type for it
    """y = x cos + (-x2, x1) sin with x = (x1, x2).

    Half by half, so that no turned copy is made. The bits are those of transformers' `apply_rotary_pos_emb`.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        ctx.dtype = x.dtype
        (x1, x2), (sin1, sin2) = x.chunk(2, -1), sin.chunk(2, -1)
        out = x * cos
        out1, out2 = out.chunk(2, -1)
        out1.sub_(x2 * sin1)
        out2.add_(x1 * sin2)
        return out

    @staticmethod
    def backward(ctx: Any, *d_out: Tensor) -> tuple[Tensor | None, ...]:
        cos, sin = ctx.saved_tensors
        (d_y,) = d_out
        (d1, d2), (sin1, sin2) = d_y.chunk(2, -1), sin.chunk(2, -1)
        d_x = d_y * cos
        d_x1, d_x2 = d_x.chunk(2, -1)
        d_x1.add_(d2 * sin2)
        d_x2.sub_(d1 * sin1)
        return d_x.to(ctx.dtype), None, None
