"""One optimizer update from one set of documents."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import torch
from torch import Tensor

from state.contract.request import TrainingConfig
from trainer.checkpoints.state import random_tensors, set_random
from trainer.data.tensors import Batch
from trainer.engine.device import Precision, autocast
from trainer.engine.failures import NonFiniteLossError, is_out_of_memory
from trainer.engine.losses import summed_loss
from trainer.engine.optimizer import Optimizers, set_learning_rate


class NoRoomError(Exception):
    """A micro-batch does not fit into memory; smaller ones may."""


class SpikeError(Exception):
    """A loss that is far above what is usual; the update was not applied."""

    def __init__(self, loss: float, highest_usual: float) -> None:
        super().__init__(f"loss {loss}, usual is at most {highest_usual}")
        self.loss = loss
        self.highest_usual = highest_usual


class UpdateResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one update did."""

    loss: float
    """Mean over the update's trained tokens, in nats."""
    gradient_norm: float
    """Before clipping."""
    learning_rate: float


def make_update(
    model: Any,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    num_trained: int,
    training: TrainingConfig,
    precision: Precision,
    update: int,
    highest_loss: float | None = None,
) -> UpdateResult:
    """Train on the micro-batches as on one batch; `num_trained` counts the trained tokens of all of them.

    Dividing every sum by that one number makes the gradient independent of how documents are grouped.

    Raises:
        NonFiniteLossError: the loss or the gradient is not finite; the weights are as they were.
        SpikeError: the loss is above highest_loss; weights and random generators are as they were.
        NoRoomError: the device has no memory for a micro-batch; the weights are as they were.
    """
    parameters = list(model.parameters())
    random = random_tensors()
    try:
        total = accumulate_gradients(model, batches, num_trained, precision)
    except Exception as error:
        forget_gradients(optimizers)
        set_random(random)
        if is_out_of_memory(error):
            raise NoRoomError(str(error)) from None  # its traceback would keep the tensors that filled memory
        raise
    norm = torch.nn.utils.clip_grad_norm_(parameters, training.clip, foreach=True)
    loss_value, norm_value = torch.stack([total, norm]).tolist()
    if not (math.isfinite(loss_value) and math.isfinite(norm_value)):
        forget_gradients(optimizers)
        raise NonFiniteLossError(f"loss {loss_value}, gradient norm {norm_value}")
    if highest_loss is not None and loss_value > highest_loss:
        forget_gradients(optimizers)
        set_random(random)
        raise SpikeError(loss_value, highest_loss)
    rate = set_learning_rate(optimizers, training, update)
    for optimizer in optimizers.values():
        optimizer.step()
    forget_gradients(optimizers)
    return UpdateResult(loss=loss_value, gradient_norm=norm_value, learning_rate=rate)


def accumulate_gradients(
    model: Any, batches: Sequence[Batch], num_trained: int, precision: Precision
) -> Tensor:
    """Return the update's loss, its gradient left in the parameters."""
    total = torch.zeros((), device=batches[0].ids_1T.device)
    for batch in batches:
        with autocast(total.device, precision):
            loss = summed_loss(model, batch) / num_trained
        loss.backward()
        total += loss.detach()
    return total


def forget_gradients(optimizers: Optimizers) -> None:
    """Leave no gradient behind."""
    for optimizer in optimizers.values():
        optimizer.zero_grad(set_to_none=True)
