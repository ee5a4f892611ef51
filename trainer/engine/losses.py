"""The loss: summed over trained tokens, with logits only where a token is learnt.

Shapes: T tokens of the flat row, N of them trained, D hidden width, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from trainer.data.tensors import Batch
from trainer.engine.attention import ATTENTION, Documents

MAX_LOGITS = 2**26
"""Logits held at once, 256 MiB in float32; more are made again in the backward pass, chunk by chunk."""


def summed_loss(model: Any, batch: Batch) -> Tensor:
    """Return the cross entropy in nats, summed over the trained tokens, as a float32 scalar.

    `use_cache=False` because the cache is of no use here, and where positions are given it changes the mask
    of attention implementations other than ours.

    Raises:
        ValueError: the model was not made ready for documents (`attention.use_documents`).
    """
    if model.config._attn_implementation != ATTENTION:
        raise ValueError(f"the model's attention is {model.config._attn_implementation!r}, not {ATTENTION!r}")
    found = model.base_model(
        input_ids=batch.ids_1T,
        position_ids=batch.positions_1T,
        use_cache=False,
        documents=Documents(batch.lengths, batch.bounds),
    )
    hidden_ND = found.last_hidden_state[0, batch.sources_N]
    return _summed_cross_entropy(model.get_output_embeddings(), hidden_ND, batch.targets_N)


def _summed_cross_entropy(head: Any, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    rows = max(1, MAX_LOGITS // head.weight.shape[0])
    if len(hidden_ND) <= rows:
        return _cross_entropy(head, hidden_ND, targets_N)
    chunks = zip(hidden_ND.split(rows), targets_N.split(rows), strict=True)
    losses = [checkpoint(_cross_entropy, head, h, t, use_reentrant=False) for h, t in chunks]
    return torch.stack(losses).sum()


def _cross_entropy(head: Any, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    return cross_entropy(head(hidden_ND).float(), targets_N, reduction="sum")
