"""Runs of a case: what a trainer says of itself, and the config that is in force."""

from collections.abc import Mapping
from typing import Any

import msgspec
from case_constants import EARLIER

from state.contract.effective import EffectiveRun
from state.contract.orders import ConfigInForce
from state.contract.run_config import RunConfig
from state.contract.status import RunStatus
from state.store.in_force import in_force
from state.store.rows import RunRow


def with_values(config: Any, changed: Mapping[str, Any]) -> Any:
    """Return the config with some of its values replaced, by dotted key."""
    values = msgspec.to_builtins(config)
    for key, value in changed.items():
        *sections, last = key.split(".")
        inner = values
        for section in sections:
            inner = inner[section]
        inner[last] = value
    return msgspec.convert(values, type(config))


def config_of_row(row: RunRow) -> ConfigInForce:
    now = in_force(row)
    config = msgspec.json.decode(now.config_json, type=RunConfig)
    return ConfigInForce(
        generation=now.generation, config=config, config_hash=now.config_hash, specs_commit=now.specs_commit
    )


def effective_run(row: RunRow, changed: Mapping[str, Any]) -> EffectiveRun:
    """Return the report of a trainer that uses what it was asked for, but for what the case says."""
    config = with_values(msgspec.json.decode(in_force(row).config_json, type=RunConfig), changed)
    return EffectiveRun(
        written_at=EARLIER,
        config_hash=in_force(row).config_hash,
        config=config,
        device="cpu",
        device_name=None,
        threads=2,
        torch_version="2",
        num_parameters=1,
    )


def run_status(words: Mapping[str, Any]) -> RunStatus:
    return RunStatus(
        **(
            {
                "phase": "training",
                "updated_at": EARLIER,
                "orders_sequence": 1,
                "step": 1,
                "takes_config": True,
            }
            | dict(words)
        )
    )
