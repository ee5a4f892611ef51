"""Low-rank adapters (LoRA) on a frozen model, through peft: put on and saved.

peft changes the layers in place; the model stays the class that it was. A folder with the two files written
here loads with `PeftModel.from_pretrained(base, folder)`.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

import torch

from state.contract.run_config import ALL_LINEAR, LoraConfig
from trainer.engine.device import Precision
from trainer.engine.extras import optional_library
from trainer.engine.failures import SettingsError
from trainer.engine.four_bit import linear_layers, quantise_body

ADAPTER_NAME = "adapter_model.safetensors"
ADAPTER_CONFIG_NAME = "adapter_config.json"
ADAPTER = "default"
"""What peft calls an adapter that nobody named."""
_PREFIX = "base_model.model."
"""Before the names of parameters in peft's files."""


def has_adapters(model: Any) -> bool:
    """Does the model carry adapters?"""
    return bool(getattr(model, "peft_config", None))


def put_adapters(
    model: Any,
    method: Literal["lora", "qlora"],
    lora: LoraConfig,
    precision: Precision,
    *,
    seed: int,
    base_name: str | None,
) -> None:
    """Put fresh adapters on the model, which change nothing yet; they alone are trained.

    Their first values depend on the seed alone. `base_name` goes into their file for people and loaders.

    Raises:
        EnvironmentFailure: peft, or bitsandbytes for qlora, is missing.
        SettingsError: a target is no layer of the model.
    """
    peft = optional_library("peft", method=method)
    targets = _targets(model, lora)
    if method == "qlora":
        quantise_body(model, precision)
    config = peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
        base_model_name_or_path=base_name,
    )
    model.requires_grad_(requires_grad=False)
    torch.manual_seed(seed)
    peft.inject_adapter_in_model(config, model)


def adapter_settings(model: Any) -> LoraConfig:
    """Return how the model's adapters are made, as peft has it."""
    config = model.peft_config[ADAPTER]
    return LoraConfig(
        rank=config.r,
        alpha=config.lora_alpha,
        dropout=config.lora_dropout,
        target_modules=tuple(sorted(config.target_modules)),
    )


def adapter_tensors(model: Any) -> dict[str, torch.Tensor]:
    """Return the adapters' parameters under the names of peft's files."""
    return {
        _PREFIX + name.replace(f".{ADAPTER}.", "."): parameter.detach()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def adapter_config(model: Any) -> bytes:
    """Return how the adapters are made, as peft reads it; the same adapters give the same bytes."""
    fields = model.peft_config[ADAPTER].to_dict()
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in fields.items()}
    plain["inference_mode"] = True
    return (json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _targets(model: Any, lora: LoraConfig) -> list[str]:
    """Return the names of layers that get adapters, the last part of each.

    Raises:
        SettingsError: one of them is no linear layer of the model's body.
    """
    names = list(linear_layers(model))
    known = sorted({name.rpartition(".")[2] for name in names})
    if lora.target_modules == (ALL_LINEAR,):
        return known
    for target in lora.target_modules:
        if not any(name == target or name.endswith(f".{target}") for name in names):
            raise SettingsError(
                f"lora.target_modules: {target!r} is no linear layer of {type(model).__name__}'s body; "
                f"known: {', '.join(known)}"
            )
    return list(lora.target_modules)


def named_like_ours(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return tensors of a peft file under the model's own names of their parameters."""
    found = {}
    for name, tensor in tensors.items():
        stem, _, kind = name.removeprefix(_PREFIX).rpartition(".")
        found[f"{stem}.{ADAPTER}.{kind}"] = tensor
    return found
