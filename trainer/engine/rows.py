"""Attention of documents in rows of their own on a CPU: one step of the backward pass for all of them.

Document by document, `scaled_dot_product_attention` leaves a chain of views behind for each, and the backward
pass takes as long to walk through those as to compute a small document. The kernel is the same, and so is
every bit.

Shapes: T tokens, H heads, G heads of keys and values, D width of a head; groups of n documents of L tokens.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

_KERNEL = "_scaled_dot_product_flash_attention_for_cpu"
"""What `scaled_dot_product_attention` calls on a CPU; a private name of torch (2.2 and later)."""


@lru_cache(maxsize=1)
def has_kernel() -> bool:
    """Does this torch have the kernel under the name and with the settings that we call?"""
    wanted = ("dropout_p", "is_causal", "attn_mask", "scale")
    found = (getattr(torch.ops.aten, name, None) for name in (_KERNEL, f"{_KERNEL}_backward"))
    return all(
        one is not None and tuple(a.name for a in one.default._schema.arguments)[-4:] == wanted
        for one in found
    )


def attention_in_rows(
    query_THD: Tensor,
    key_TGD: Tensor,
    value_TGD: Tensor,
    groups: Sequence[tuple[int, int]],
    scale: float | None,
) -> Tensor:
    """Return what each token takes from its document up to itself, shape (T, H, D), in the queries' type.

    `groups`: (n, L) of neighbours of equal length, in the order of the tokens.
    """
    taken: Tensor = _InRows.apply(query_THD, key_TGD, value_TGD, tuple(groups), scale)
    return taken


class _InRows(torch.autograd.Function):  # type: ignore[misc]  # torch has no type for it
    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        groups: tuple[tuple[int, int], ...],
        scale: float | None,
    ) -> Tensor:
        kernel = getattr(torch.ops.aten, _KERNEL)
        rows = zip(*(_rows(tensor, groups) for tensor in (query, key, value)), strict=True)
        found = [kernel(*row, 0.0, True, scale=scale) for row in rows]  # noqa: FBT003 - dropout, is causal
        out = _flat([taken for taken, _ in found])
        ctx.save_for_backward(query, key, value, out, *(log_sums for _, log_sums in found))
        ctx.groups, ctx.scale = groups, scale
        return out

    @staticmethod
    def backward(ctx: Any, *d_out: Tensor) -> tuple[Tensor | None, ...]:
        kernel = getattr(torch.ops.aten, f"{_KERNEL}_backward")
        query, key, value, out, *log_sums = ctx.saved_tensors
        parts = (_rows(tensor, ctx.groups) for tensor in (d_out[0], query, key, value, out))
        rows = zip(*parts, log_sums, strict=True)
        found = [kernel(*row, 0.0, True, scale=ctx.scale) for row in rows]  # noqa: FBT003 - as forward
        d_query, d_key, d_value = (_flat(one) for one in zip(*found, strict=True))
        return d_query, d_key, d_value, None, None


def _rows(tensor_THD: Tensor, groups: tuple[tuple[int, int], ...]) -> list[Tensor]:
    """Return each group's documents as rows, shape (n, H, L, D)."""
    parts = tensor_THD.split([count * length for count, length in groups])
    return [part.unflatten(0, size).transpose(1, 2) for part, size in zip(parts, groups, strict=True)]


def _flat(rows_nHLD: Sequence[Tensor]) -> Tensor:
    """Return the tokens of all groups again, shape (T, H, D)."""
    return torch.cat([rows.transpose(1, 2).flatten(0, 1) for rows in rows_nHLD])
