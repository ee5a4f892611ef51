"""Micro-batches as tensors: the one place of this package that imports torch.

Shapes: T tokens of a micro-batch, N of them trained.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import msgspec
import torch
from torch import Tensor

from trainer.data.packing import FlatBatch


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A flat micro-batch on the device; everything that depends on the lengths was counted on the host."""

    ids_1T: Tensor
    """Token ids, int64."""
    positions_1T: Tensor
    """Place of each token in its own document, int64."""
    lengths: tuple[int, ...]
    """Of each document, in tokens."""
    bounds: Tensor
    """Where each document begins, and T: int32, one more than there are documents."""
    sources_N: Tensor
    """Places whose hidden state predicts a trained token: the one before it, int64."""
    targets_N: Tensor
    """The trained tokens, int64."""

    @property
    def num_trained(self) -> int:
        """Return how many tokens carry loss."""
        return len(self.targets_N)


def to_tensors(batch: FlatBatch, device: torch.device | str) -> Batch:
    """Return a micro-batch on the device."""
    ids_T = torch.frombuffer(batch.ids, dtype=torch.int32).long()
    places_N = torch.frombuffer(batch.targets, dtype=torch.int64) if batch.targets else torch.zeros(0).long()
    bounds = torch.tensor([0, *accumulate(batch.lengths)], dtype=torch.int32)
    positions_T = torch.frombuffer(_positions(batch.lengths), dtype=torch.int64)
    return Batch(
        ids_1T=_moved(ids_T[None], device),
        positions_1T=_moved(positions_T[None], device),
        lengths=batch.lengths,
        bounds=_moved(bounds, device),
        sources_N=_moved(places_N - 1, device),
        targets_N=_moved(ids_T[places_N], device),
    )


def _positions(lengths: Sequence[int]) -> "array[int]":
    """Return the place of each token in its document: copied, which takes a tenth of making each anew."""
    counted, positions = _counted(max(lengths).bit_length()), array("q")
    for length in lengths:
        positions.extend(counted[:length])
    return positions


@lru_cache(maxsize=32)
def _counted(bits: int) -> "array[int]":
    """Return all numbers of at most so many bits."""
    return array("q", range(1 << bits))


def _moved(tensor: Tensor, device: torch.device | str) -> Tensor:
    """Return it on the device; a GPU fetches it while the host goes on."""
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
