"""Attention of packed documents: each token sees its own document up to itself, and nothing else.

transformers hands queries, keys and values of one flat row to what is registered here under ATTENTION, and,
because no mask is registered under that name, makes no mask at all. Where the row's documents begin reaches
us as the keyword `documents` of the model's call.

Shapes: B = 1, H heads, G heads of keys and values, T tokens, D width of a head; n documents of a group, at
most L tokens long.
"""

import inspect
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from state.contract.memory_need import MAX_MATRIX_LENGTH
from trainer.engine.failures import SettingsError
from trainer.engine.matrix_attention import matrix_attention
from trainer.engine.rows import attention_in_rows, has_kernel
from trainer.engine.shortcuts import use_shortcuts

ATTENTION = "realm_documents"
MAX_FILLING = {"cpu": 1.0, "cuda": 1.25}
"""Documents go together, in rows of their own, while the longest is at most so many times the shortest.

A GPU waits for each start of a kernel, so it fills rows up rather than to take them one by one. On a CPU
taking filling in and out costs more than to start another.
"""
_HALF = (torch.float16, torch.bfloat16)
"""What the kernel for rows of many lengths takes."""
_NOT_HONOURED = ("softcap", "s_aux", "position_bias")
"""What some models ask of their attention and this one does not compute."""


class Group:
    """Neighbouring documents of similar length, for kernels that want them in rows of their own."""

    def __init__(self, lengths: Sequence[int], device: torch.device) -> None:
        self.num_tokens = sum(lengths)
        self.num_documents, self.longest = len(lengths), max(lengths)
        self.is_full = min(lengths) == self.longest
        self._lengths, self._device = lengths, device

    @cached_property
    def kept(self) -> Tensor:
        """Return the places in the n x L filled rows that hold a token."""
        rows = (torch.arange(length) + number * self.longest for number, length in enumerate(self._lengths))
        return torch.cat(list(rows)).to(self._device)

    @cached_property
    def source(self) -> Tensor:
        """Return for each place of the filled rows its token, counted from the group's start.

        Filling takes the group's first token: it stands at the end, where no token of a document looks.
        """
        source = torch.zeros(self.num_documents * self.longest, dtype=torch.int64, device=self._device)
        source[self.kept] = torch.arange(self.num_tokens, device=self._device)
        return source


class Documents:
    """Where the documents of a flat row lie."""

    def __init__(self, lengths: Sequence[int], bounds: Tensor, read: Tensor | None = None) -> None:
        """`lengths` in tokens, in the order of the row; `bounds` their starts and T, int32, on the device.

        `read`: the places whose output anybody looks at (`shortcuts.py`); None for all.
        """
        self.bounds, self.longest, self.read = bounds, max(lengths), read
        self._lengths = lengths

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Return neighbours of similar length together; packing puts the longest first."""
        return tuple(self._groups())

    def _groups(self) -> Iterator[Group]:
        first, at_most = 0, MAX_FILLING[self.bounds.device.type]
        for place in range(1, len(self._lengths) + 1):
            together = self._lengths[first : place + 1]
            if place == len(self._lengths) or max(together) > at_most * min(together):
                yield Group(self._lengths[first:place], self.bounds.device)
                first = place


@torch.compiler.disable  # type: ignore[untyped-decorator]  # see `compiling.py`
def document_attention(
    module: Any,
    query_BHTD: Tensor,
    key_BGTD: Tensor,
    value_BGTD: Tensor,
    attention_mask: Tensor | None,
    *,
    documents: Documents,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Return what each token takes from its document, shape (1, T, H, D); part of transformers' interface.

    Raises:
        ValueError: the model asks for something that this attention does not compute.
    """
    asked = [name for name in _NOT_HONOURED if others.get(name) is not None]
    if asked or attention_mask is not None:
        raise ValueError(f"{type(module).__name__} needs {', '.join(asked) or 'an attention mask'}")
    window = sliding_window if sliding_window and sliding_window < documents.longest else None
    product_dtype = _product_dtype(query_BHTD)
    if dropout == 0.0 and not uses_rows(query_BHTD.device) and product_dtype in _HALF:
        query, key, value = (tensor.to(product_dtype) for tensor in (query_BHTD, key_BGTD, value_BGTD))
        return _varlen(query, key, value, documents, scaling, window), None
    if dropout == 0.0 and window is None and _go_by_rows_alone(documents, query_BHTD.device):
        flat = [tensor.squeeze(0).transpose(0, 1) for tensor in (query_BHTD, key_BGTD, value_BGTD)]
        return _by_rows_alone(flat, documents.groups, product_dtype, scaling)[None], None
    counts = [group.num_tokens for group in documents.groups]
    parts = (tensor.squeeze(0).transpose(0, 1).split(counts) for tensor in (query_BHTD, key_BGTD, value_BGTD))
    found = [
        _of_group(group, query, key, value, scaling, dropout, window)
        for group, query, key, value in zip(documents.groups, *parts, strict=True)
    ]
    return torch.cat(found)[None], None


def _go_by_rows_alone(documents: Documents, device: torch.device) -> bool:
    """Are the documents on a CPU with a kernel for rows, and no row filled up?"""
    return device.type == "cpu" and has_kernel() and all(group.is_full for group in documents.groups)


def _by_rows_alone(
    flat: Sequence[Tensor], groups: Sequence[Group], product_dtype: torch.dtype, scale: float | None
) -> Tensor:
    """Return what the tokens take, shape (T, H, D), from flat queries, keys and values of that shape."""
    kinds = [list(found) for _, found in groupby(groups, lambda one: _goes_by_matrices(one, product_dtype))]
    if len(kinds) > 1:
        counts = [sum(group.num_tokens for group in together) for together in kinds]
        parts = zip(*(tensor.split(counts) for tensor in flat), strict=True)
        found = [
            _by_rows_alone(part, together, product_dtype, scale)
            for part, together in zip(parts, kinds, strict=True)
        ]
        return torch.cat(found)
    query, key, value = flat
    sizes = [(group.num_documents, group.longest) for group in groups]
    if _goes_by_matrices(groups[0], product_dtype):
        lengths = [length for number, length in sizes for _ in range(number)]
        return matrix_attention(query, key, value, lengths, scale or query.shape[-1] ** -0.5)
    query, key, value = (tensor.to(product_dtype) for tensor in flat)
    return attention_in_rows(query, key, value, sizes, scale)


def _goes_by_matrices(group: Group, product_dtype: torch.dtype) -> bool:
    """Are the documents short, and multiplied in bfloat16?

    On one core with AMX, heads 32 to 128 wide, both passes then take 0.2 to 0.7 x the time of torch's kernel
    from 64 to 512 tokens, in whichever type that is faster.
    """
    return product_dtype == torch.bfloat16 and group.longest <= MAX_MATRIX_LENGTH


def _of_group(
    group: Group,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scale: float | None,
    dropout: float,
    window: int | None,
) -> Tensor:
    """Return what the group's tokens take, of their shape (tokens, H, D)."""
    query_nHLD, key_nGLD, value_nGLD = (_in_rows(group, tensor) for tensor in (query, key, value))
    per_group = query_nHLD.shape[1] // key_nGLD.shape[1]
    takes_groups = query.device.type == "cpu"  # CUDA's kernel for float32 does not
    if per_group > 1 and not takes_groups:
        key_nGLD, value_nGLD = (t.repeat_interleave(per_group, dim=1) for t in (key_nGLD, value_nGLD))
    taken_nHLD = scaled_dot_product_attention(
        query_nHLD,
        key_nGLD,
        value_nGLD,
        attn_mask=None if window is None else _band(group.longest, window, query.device),
        is_causal=window is None,
        dropout_p=dropout,
        scale=scale,
        enable_gqa=takes_groups and per_group > 1,
    )
    flat = taken_nHLD.transpose(1, 2).flatten(0, 1)
    return flat if group.is_full else flat[group.kept]


def _in_rows(group: Group, tokens_THD: Tensor) -> Tensor:
    """Return the group's documents as rows of equal length, shape (n, H, L, D)."""
    filled = tokens_THD if group.is_full else tokens_THD[group.source]
    return filled.unflatten(0, (group.num_documents, group.longest)).transpose(1, 2)


def _band(length: int, window: int, device: torch.device) -> Tensor:
    """Return which token (row) sees which (column): itself and the `window - 1` before it."""
    places = torch.arange(length, device=device)
    distance = places[:, None] - places[None, :]
    return (distance >= 0) & (distance < window)


def _varlen(
    query: Tensor, key: Tensor, value: Tensor, documents: Documents, scale: float | None, window: int | None
) -> Tensor:
    """Return the same by CUDA's kernel for rows of many lengths."""
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    bounds, longest = documents.bounds, documents.longest
    asked: dict[str, Any] = {"scale": scale, "window_size": (-1 if window is None else window - 1, 0)}
    if (per_group := query.shape[1] // key.shape[1]) > 1:
        if "enable_gqa" in _varlen_settings():
            asked["enable_gqa"] = True
        else:  # torch 2.11
            key, value = (tensor.repeat_interleave(per_group, dim=1) for tensor in (key, value))
    taken: Tensor = varlen_attn(query, key, value, bounds, bounds, longest, longest, **asked)
    return taken[None]


def uses_rows(device: torch.device) -> bool:
    """Is there no kernel here for rows of many lengths, under the signature that we call?"""
    return not (
        device.type == "cuda"
        and {"scale", "window_size"} <= _varlen_settings()
        and torch.cuda.get_device_capability(device) >= (8, 0)
    )


def _product_dtype(query: Tensor) -> torch.dtype:
    """Return the precision of the products: under autocast not that of a query that a norm made float32."""
    device_type = query.device.type
    asked = torch.get_autocast_dtype(device_type) if torch.is_autocast_enabled(device_type) else query.dtype
    return query.dtype if query.dtype == torch.float64 else asked


@lru_cache(maxsize=1)
def _varlen_settings() -> frozenset[str]:
    """Return what the kernel's function takes: in torch 2.10 neither scale nor window, in 2.11 no groups."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return frozenset()
    return frozenset(inspect.signature(varlen_attn).parameters)


def use_documents(model: Any) -> None:
    """Make a model attend within documents, and take our shortcuts; its saved config does not say so.

    Raises:
        SettingsError: its attention cannot be replaced.
    """
    AttentionInterface.register(ATTENTION, document_attention)
    if not model._supports_attention_backend:
        raise SettingsError(f"{type(model).__name__} has attention of its own; this engine cannot train it")
    model.set_attn_implementation(ATTENTION)
    use_shortcuts(model)
