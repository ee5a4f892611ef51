"""Optimizers: AdamW for everything, or Muon for the matrices of the body and AdamW for the rest."""

from typing import Any

import torch
from torch import nn

from state.contract.request import TrainingConfig
from trainer.engine.device import has_bf16_products
from trainer.engine.muon import ShapedMuon
from trainer.engine.schedule import rate_factor

Optimizers = dict[str, torch.optim.Optimizer]
NamedParameter = tuple[str, nn.Parameter]


def build_optimizers(model: Any, training: TrainingConfig) -> Optimizers:
    """Return the optimizers by name; together they hold each trainable parameter exactly once."""
    matrices, others = split_parameters(model)
    decayed = {"params": matrices, "weight_decay": training.weight_decay}
    all_decay = training.weight_decay_on == "all"
    rest = {"params": others, "weight_decay": training.weight_decay if all_decay else 0.0}
    by_adamw = [group for group in (decayed, rest) if group["params"]]  # adapters are matrices, all of them
    if training.optimizer != "muon":
        return {"adamw": _adamw(by_adamw, training)}
    muon = {"muon": _muon(matrices, training)}
    return muon | {"adamw": _adamw([rest], training)} if others else muon


def split_parameters(model: Any) -> tuple[list[NamedParameter], list[NamedParameter]]:
    """Return the matrices of the model's body, and everything else: embeddings, head, norms, biases.

    Muon is for the first kind only; weight decay too, unless the config says otherwise.
    """
    ends = {id(module.weight) for module in (model.get_input_embeddings(), model.get_output_embeddings())}
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    matrices = [(name, p) for name, p in named if p.ndim == 2 and id(p) not in ends]  # noqa: PLR2004 - matrices
    chosen = {name for name, _ in matrices}
    return matrices, [(name, p) for name, p in named if name not in chosen]


def set_learning_rate(optimizers: Optimizers, training: TrainingConfig, update: int) -> float:
    """Set the rates for the update of this number; return that of `learning_rate`."""
    factor = rate_factor(update, training)
    rates = {"adamw": training.learning_rate, "muon": _muon_rate(training)}
    for name, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = factor * rates[name]
    return factor * training.learning_rate


def _adamw(groups: list[dict[str, Any]], training: TrainingConfig) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        groups,
        lr=training.learning_rate,
        betas=(training.adam_beta1, training.adam_beta2),
        eps=training.adam_epsilon,
        fused=True,
    )


def _muon(matrices: list[NamedParameter], training: TrainingConfig) -> torch.optim.Optimizer:
    return ShapedMuon(
        matrices,
        product_dtype=torch.bfloat16 if has_bf16_products(matrices[0][1].device) else torch.float32,
        lr=_muon_rate(training),
        weight_decay=training.weight_decay,
        momentum=training.muon_momentum,
        adjust_lr_fn="match_rms_adamw",  # a rate that was tuned for AdamW fits
    )


def _muon_rate(training: TrainingConfig) -> float:
    own = training.muon_learning_rate
    return training.learning_rate if own is None else own
