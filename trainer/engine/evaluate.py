"""Held-out loss: the same rows every time, never trained on."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from trainer.engine.device import Precision, autocast
from trainer.engine.losses import IGNORED, summed_loss
from trainer.engine.step import Batch


def held_out_loss(model: Any, batches: Sequence[Batch], precision: Precision) -> float:
    """Return the mean loss over all trained tokens of the rows, in nats; NaN when there is none."""
    num_tokens = sum(int((labels_BT[:, 1:] != IGNORED).sum()) for _, labels_BT in batches)
    if num_tokens == 0:
        return math.nan
    model.eval()
    try:
        with torch.no_grad():
            total = torch.zeros(())
            for ids_BT, labels_BT in batches:
                with autocast(ids_BT.device, precision):
                    total = total.to(ids_BT.device) + summed_loss(model, ids_BT, labels_BT)
    finally:
        model.train()
    return float(total) / num_tokens
