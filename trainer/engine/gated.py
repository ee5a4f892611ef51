"""The gated block of a layer in bfloat16 on a CPU, its tokens filled up once for all three products.

What goes from one product to the next is filled up already, and both gradients by the first products are
written where the next one reads them: a third less of memory is passed over than module by module, to the
same bits.

Shapes: T tokens, F tokens when filled up, D hidden width, I width of the block.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import silu

from trainer.engine.products import filled, summed, times


def gated_block(tokens: Tensor, gate: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """Return down (silu(gate x) * up x) of each token x, shape (..., D), in bfloat16.

    SwiGLU: Shazeer, arXiv 2002.05202, equation 6.
    """
    found: Tensor = _Gated.apply(tokens.flatten(0, -2), gate, up, down)
    return found.unflatten(0, tokens.shape[:-1])


class _Gated(torch.autograd.Function):  # type: ignore[misc]  # torch has no type for it
    @staticmethod
    def forward(ctx: Any, tokens_TD: Tensor, gate_ID: Tensor, up_ID: Tensor, down_DI: Tensor) -> Tensor:
        tokens_FD, down = filled([tokens_TD]), down_DI.to(torch.bfloat16)
        first = torch.cat([weight.to(torch.bfloat16) for weight in (gate_ID, up_ID)])
        both_F2I = times(tokens_FD, first.t())
        opened_FI = silu(both_F2I.chunk(2, dim=1)[0])
        inner_FI = opened_FI * both_F2I.chunk(2, dim=1)[1]
        ctx.types = [one.dtype for one in (tokens_TD, gate_ID, up_ID, down_DI)]
        ctx.num_tokens = len(tokens_TD)
        _, *first_learn, down_learns = ctx.needs_input_grad
        kept = tokens_FD if any(first_learn) else None, inner_FI if down_learns else None
        ctx.save_for_backward(*kept, both_F2I, opened_FI, first, down)
        return times(inner_FI, down.t())[: len(tokens_TD)]

    @staticmethod
    def backward(ctx: Any, *d_out: Tensor) -> tuple[Tensor | None, ...]:
        tokens_FD, inner_FI, both_F2I, opened_FI, first, down = ctx.saved_tensors
        d_out_FD = filled(d_out)
        d_both_F2I = _through_the_gate(times(d_out_FD, down), both_F2I, opened_FI)
        d_tokens = times(d_both_F2I, first)[: ctx.num_tokens]
        d_first = (None, None) if tokens_FD is None else summed(d_both_F2I, tokens_FD).chunk(2)
        found = d_tokens, *d_first, None if inner_FI is None else summed(d_out_FD, inner_FI)
        return tuple(
            None if one is None else one.to(exact) for one, exact in zip(found, ctx.types, strict=True)
        )


def _through_the_gate(d_inner_FI: Tensor, both_F2I: Tensor, opened_FI: Tensor) -> Tensor:
    """Return the gradient by gate and up, side by side; what is given for the inside is used up."""
    d_both_F2I = torch.empty_like(both_F2I)
    (gate, up), (d_gate, d_up) = both_F2I.chunk(2, dim=1), d_both_F2I.chunk(2, dim=1)
    torch.mul(d_inner_FI, opened_FI, out=d_up)
    torch.ops.aten.silu_backward.grad_input(d_inner_FI.mul_(up), gate, grad_input=d_gate)
    return d_both_F2I
