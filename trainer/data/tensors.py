"""Micro-batches as tensors: the one place of this package that imports torch."""

import torch

from trainer.data.batches import MicroBatch


def to_tensors(batch: MicroBatch, device: torch.device | str) -> dict[str, torch.Tensor]:
    """Return input_ids, attention_mask and labels, each of shape (documents, tokens), int64."""
    return {
        "input_ids": torch.tensor(batch.input_ids, device=device),
        "attention_mask": torch.tensor(batch.attention_mask, device=device),
        "labels": torch.tensor(batch.labels, device=device),
    }
