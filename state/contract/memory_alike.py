"""Which runs take the same memory, and whose saves are as large: those of one model, method and settings,
whatever campaign they are of."""

from collections.abc import Callable
from typing import Any

import msgspec

from state.canonical import sha256_of
from state.contract.run_config import RunConfig

_DECIDE = (
    *(
        "precision",
        "batch_size",
        "gradient_accumulation",
        "optimizer",
        "max_length",
        "gradient_checkpointing",
    ),
    *("method", "lora", "packing", "compile"),
)
"""Settings on which memory depends; rates, schedules, seeds and the like are none of them."""
_DECIDE_SAVES = ("precision", "optimizer", "method", "lora")
"""Settings on which the size of a save depends, beside the model."""


def memory_key(config: RunConfig, device: str) -> str:
    """Return what is equal for runs that take the same memory; all devices of a kind count as one."""
    return _key(config, msgspec.to_builtins(config.model), _DECIDE, device)


def save_key(config: RunConfig, device: str) -> str:
    """Return what is equal for runs whose saves are equally large; the length of documents is no part."""
    model = msgspec.to_builtins(config.model)
    del model["max_context_length"]
    return _key(config, model, _DECIDE_SAVES, device)


def _key(config: RunConfig, model: dict[str, Any], decide: tuple[str, ...], device: str) -> str:
    settings = msgspec.to_builtins(config.training)
    return sha256_of(
        {
            "model": model,
            "settings": {name: value for name, value in settings.items() if name in decide},
            "device": device.partition(":")[0],
        }
    )


def memory_key_of(config_json: str, device: str) -> str | None:
    """Return the memory key of a config as the store has it; None where this version cannot read it."""
    return _key_of(memory_key, config_json, device)


def save_key_of(config_json: str, device: str) -> str | None:
    """Return the key of its saves in the same way."""
    return _key_of(save_key, config_json, device)


def _key_of(key: Callable[[RunConfig, str], str], config_json: str, device: str) -> str | None:
    try:
        return key(msgspec.json.decode(config_json, type=RunConfig), device)
    except msgspec.MsgspecError:
        return None
