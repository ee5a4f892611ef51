"""One optimizer update from one set of documents."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import torch

from state.contract.request import TrainingConfig
from trainer.data.tensors import Batch
from trainer.engine.device import Precision, autocast
from trainer.engine.failures import NonFiniteLossError
from trainer.engine.losses import summed_loss
from trainer.engine.optimizer import Optimizers, set_learning_rate


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
) -> UpdateResult:
    """Train on the micro-batches as on one batch; `num_trained` counts the trained tokens of all of them.

    Dividing every sum by that one number makes the gradient independent of how documents are grouped.

    Raises:
        NonFiniteLossError: the loss or the gradient is not finite; the weights are as they were.
    """
    parameters = list(model.parameters())
    total = torch.zeros((), device=parameters[0].device)
    for batch in batches:
        with autocast(total.device, precision):
            loss = summed_loss(model, batch) / num_trained
        loss.backward()
        total += loss.detach()
    norm = torch.nn.utils.clip_grad_norm_(parameters, training.clip, foreach=True)
    loss_value, norm_value = torch.stack([total, norm]).tolist()
    if not (math.isfinite(loss_value) and math.isfinite(norm_value)):
        _forget_gradients(optimizers)
        raise NonFiniteLossError(f"loss {loss_value}, gradient norm {norm_value}")
    rate = set_learning_rate(optimizers, training, update)
    for optimizer in optimizers.values():
        optimizer.step()
    _forget_gradients(optimizers)
    return UpdateResult(loss=loss_value, gradient_norm=norm_value, learning_rate=rate)


def _forget_gradients(optimizers: Optimizers) -> None:
    for optimizer in optimizers.values():
        optimizer.zero_grad(set_to_none=True)
