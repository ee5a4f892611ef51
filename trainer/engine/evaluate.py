"""Held-out loss: the same rows every time, never trained on."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from trainer.data.tensors import Batch
from trainer.engine.device import Precision, autocast
from trainer.engine.losses import summed_loss


def held_out_loss(model: Any, batches: Sequence[Batch], precision: Precision) -> float:
    """Return the mean loss over all trained tokens of the rows, in nats; NaN when there is none."""
    num_tokens = sum(batch.num_trained for batch in batches)
    if num_tokens == 0:
        return math.nan
    model.eval()
    try:
        with torch.no_grad():
            total = torch.zeros((), device=batches[0].ids_1T.device)
            for batch in batches:
                with autocast(total.device, precision):
                    total += summed_loss(model, batch)
    finally:
        model.train()
    return float(total) / num_tokens
