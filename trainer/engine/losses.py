"""The loss: summed over trained tokens, with logits only where a token is learnt.

Shapes: B documents, T positions, N trained tokens, D hidden width, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

IGNORED = -100
MAX_LOGITS = 2**26
"""Logits held at once, 256 MiB in float32; more are made again in the backward pass, chunk by chunk."""


def summed_loss(model: Any, ids_BT: Tensor, labels_BT: Tensor) -> Tensor:
    """Return the cross entropy in nats, summed over the trained tokens, as a float32 scalar.

    A position predicts the next one's label; labels of -100 are not learnt, nor is a row's first token.
    Rows are filled up on the right: a causal model never looks there, so no attention mask is needed and
    the fast kernels apply. `use_cache=False` because the cache is of no use and, where positions are
    given, changes the mask.
    """
    hidden_BTD = model.base_model(input_ids=ids_BT, use_cache=False).last_hidden_state
    targets_BT = labels_BT[:, 1:]
    is_trained_BT = targets_BT != IGNORED
    return _summed_cross_entropy(
        model.get_output_embeddings(), hidden_BTD[:, :-1][is_trained_BT], targets_BT[is_trained_BT]
    )


def _summed_cross_entropy(head: Any, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    rows = max(1, MAX_LOGITS // head.weight.shape[0])
    if len(hidden_ND) <= rows:
        return _cross_entropy(head, hidden_ND, targets_N)
    chunks = zip(hidden_ND.split(rows), targets_N.split(rows), strict=True)
    losses = [checkpoint(_cross_entropy, head, h, t, use_reentrant=False) for h, t in chunks]
    return torch.stack(losses).sum()


def _cross_entropy(head: Any, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    return cross_entropy(head(hidden_ND).float(), targets_N, reduction="sum")
