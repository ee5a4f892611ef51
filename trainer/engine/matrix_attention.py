"""Attention of short documents in bfloat16 on a CPU, written out as products of matrices.

The kernel of `scaled_dot_product_attention` takes longer for short rows in bfloat16 than in float32, AMX or
not: it multiplies a few tokens at a time. Here documents are filled up to multiples of STEP_TOKENS, those of
one length go together, and a whole row is one product. Scores and shares are rounded to bfloat16, as under
autocast; what is summed is summed in float32.

Shapes: T tokens, H heads, G heads of keys and values, W width of a head; n documents of L places each.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor

STEP_TOKENS, MAX_TOGETHER = 32, 8
"""oneDNN prepares a product once for each size, some 0.7 ms: so there are few lengths, and few together."""


def matrix_attention(
    query_THW: Tensor, key_TGW: Tensor, value_TGW: Tensor, lengths: Sequence[int], scale: float
) -> Tensor:
    """Return what each token takes from its document up to itself, shape (T, H, W), in bfloat16.

    `lengths` of the documents, in the order of the tokens; neighbours of like length go together.
    """
    rows = _filled_rows(tuple(lengths), query_THW.shape[1], key_TGW.shape[1])
    taken: Tensor = _Attention.apply(query_THW, key_TGW, value_TGW, rows, scale)
    return taken


class _Heads(NamedTuple):
    """Which place holds which token, head by head: queries have H heads, keys and values G."""

    tokens: Tensor
    """Of each place its row of a (T x heads, W) matrix: n documents x heads x L, group by group."""
    places: Tensor
    """The other way round, shape (T x heads)."""
    filling: Tensor
    """Places that hold no token; what stands there is another token's, and counts for nothing."""


class _FilledRows(NamedTuple):
    groups: tuple[tuple[int, int], ...]
    """(n, L) of neighbours."""
    queries: _Heads
    keys: _Heads

    def parts(self, of_queries: Sequence[Tensor], of_keys: Sequence[Tensor]) -> Iterator[list[Tensor]]:
        """Yield each group's part of the tensors: of queries (n x G, H / G x L, W), of keys (n x G, L, W)."""
        num_heads, num_key_heads = (
            len(heads.tokens) // sum(n * length for n, length in self.groups)
            for heads in (self.queries, self.keys)
        )
        start = 0
        for n, length in self.groups:
            stop = start + n * length
            shape = n * num_key_heads, -1, of_queries[0].shape[1]
            queries = [one[start * num_heads : stop * num_heads].view(shape) for one in of_queries]
            keys = [one[start * num_key_heads : stop * num_key_heads].view(shape) for one in of_keys]
            yield queries + keys
            start = stop


class _Attention(torch.autograd.Function):  # type: ignore[misc]  # torch has no type for it
    """softmax(Q K^T scale) V of each document, no token looking ahead (Vaswani et al., arXiv 1706.03762)."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, rows: _FilledRows, scale: float
    ) -> Tensor:
        filled = _filled(query, rows.queries), _filled(key, rows.keys), _filled(value, rows.keys)
        out, shares = torch.empty_like(filled[0]), []
        for (_, length), (q, o, k, v) in zip(
            rows.groups, rows.parts((filled[0], out), filled[1:]), strict=True
        ):
            ahead = _ahead(length, q.shape[1] // length)
            scores = torch.baddbmm(ahead, q, k.transpose(1, 2), alpha=scale)
            shares.append(scores.softmax(-1))
            torch.bmm(shares[-1], v, out=o)
        ctx.save_for_backward(*filled, *shares)
        ctx.rows, ctx.scale, ctx.types = rows, scale, (query.dtype, key.dtype, value.dtype)
        return out.index_select(0, rows.queries.places).view(query.shape)

    @staticmethod
    def backward(ctx: Any, *d_out: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, *shares = ctx.saved_tensors
        rows, scale = ctx.rows, ctx.scale
        d_taken = _filled(d_out[0], rows.queries).index_fill_(0, rows.queries.filling, 0)
        d_query, d_key, d_value = (torch.empty_like(one) for one in (query, key, value))
        parts = rows.parts((query, d_query, d_taken), (key, value, d_key, d_value))
        for share, (q, dq, do, k, v, dk, dv) in zip(shares, parts, strict=True):
            torch.bmm(share.transpose(1, 2), do, out=dv)
            d_share = torch.bmm(do, v.transpose(1, 2))
            d_scores = torch._softmax_backward_data(d_share, share, -1, share.dtype)
            torch.baddbmm(dq, d_scores, k, beta=0, alpha=scale, out=dq)
            torch.baddbmm(dk, d_scores.transpose(1, 2), q, beta=0, alpha=scale, out=dk)
        sides = rows.queries, rows.keys, rows.keys
        flat = [
            one.index_select(0, side.places).view(len(d_out[0]), -1, one.shape[1]).to(dtype)
            for one, side, dtype in zip((d_query, d_key, d_value), sides, ctx.types, strict=True)
        ]
        return *flat, None, None


def _filled(tokens: Tensor, heads: _Heads) -> Tensor:
    """Return the tokens of (T, heads, W) at their places, shape (places, W)."""
    return tokens.to(torch.bfloat16).reshape(-1, tokens.shape[-1]).index_select(0, heads.tokens)


@lru_cache(maxsize=64)
def _ahead(length: int, times: int) -> Tensor:
    """Return what is added to scores, shape (1, times x L, L): minus infinity for what lies ahead."""
    ahead = torch.full((length, length), float("-inf"), dtype=torch.bfloat16).triu_(1)
    return ahead.repeat(times, 1)[None]


@lru_cache(maxsize=8)
def _filled_rows(lengths: tuple[int, ...], num_heads: int, num_key_heads: int) -> _FilledRows:
    together = list(_together(lengths))
    groups = tuple((len(found), _filled_up(found[0])) for found in together)
    starts = iter(accumulate(lengths, initial=0))
    tokens = [_tokens(found, starts, filled) for found, (_, filled) in zip(together, groups, strict=True)]
    sides = (_heads(tokens, heads, sum(lengths)) for heads in (num_heads, num_key_heads))
    return _FilledRows(groups, *sides)


def _together(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield neighbours whose rows have one length, a few at a time."""
    for _, found in groupby(lengths, _filled_up):
        alike = list(found)
        for start in range(0, len(alike), MAX_TOGETHER):
            yield alike[start : start + MAX_TOGETHER]


def _filled_up(length: int) -> int:
    return -(-length // STEP_TOKENS) * STEP_TOKENS


def _tokens(lengths: Sequence[int], starts: Iterator[int], filled: int) -> Tensor:
    """Return which token is at which place, shape (n, L); -1 for none."""
    places = torch.arange(filled)
    return torch.stack(
        [
            torch.where(places < length, places + start, -1)
            for length, start in zip(lengths, starts, strict=False)
        ]
    )


def _heads(tokens: Sequence[Tensor], heads: int, num_tokens: int) -> _Heads:
    spread = [found[:, None].expand(-1, heads, -1) * heads + torch.arange(heads)[:, None] for found in tokens]
    is_token = torch.cat([(found[:, None].expand(-1, heads, -1) >= 0).flatten() for found in tokens])
    place_of = torch.cat([found.flatten() for found in spread])
    places = torch.empty(num_tokens * heads, dtype=torch.int64)
    places[place_of[is_token]] = is_token.nonzero().squeeze(1)
    return _Heads(place_of.clamp_(min=0), places, (~is_token).nonzero().squeeze(1))
