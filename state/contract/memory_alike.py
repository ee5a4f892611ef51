"""Which runs take the same memory: those of one model, method and settings, whatever campaign they are of."""

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


def memory_key(config: RunConfig, device: str) -> str:
    """Return what is equal for runs that take the same memory; all devices of a kind count as one."""
    settings = msgspec.to_builtins(config.training)
    return sha256_of(
        {
            "model": msgspec.to_builtins(config.model),
            "settings": {name: value for name, value in settings.items() if name in _DECIDE},
            "device": device.partition(":")[0],
        }
    )


def memory_key_of(config_json: str, device: str) -> str | None:
    """Return the same of a config as the store has it; None where this version cannot read it."""
    try:
        return memory_key(msgspec.json.decode(config_json, type=RunConfig), device)
    except msgspec.MsgspecError:
        return None
