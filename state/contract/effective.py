"""`effective.json`: what a trainer really uses, told by itself once it is loaded and after each live change.

Not what it was asked for: values are read back from the model, the optimizer and the device, so `auto` says
what it became, and a value that was lost on the way shows.
"""

from typing import Any

import msgspec

from state.contract.run_config import ALL_LINEAR, RunConfig, by_key


class EffectiveRun(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    written_at: str
    config_hash: str
    """Of the config that was asked for when these values were read."""
    config: RunConfig
    """The values in use, under the keys of the config that was asked for."""
    device: str
    """`cpu` or `cuda:<index>`."""
    device_name: str | None
    """As the driver names it."""
    threads: int
    """CPU threads of one operation."""
    torch_version: str
    num_parameters: int
    """Trainable ones."""


class Reported(msgspec.Struct, frozen=True):
    """A value that a trainer uses and that is not the one it was asked for."""

    key: str
    asked: Any
    used: Any

    @property
    def is_resolved(self) -> bool:
        """Was the choice left to the trainer?"""
        return self.asked in (None, "auto", (ALL_LINEAR,))


def reported_otherwise(asked: RunConfig, effective: EffectiveRun) -> tuple[Reported, ...]:
    """Return every value that is not the one asked for, by key."""
    wanted, used = by_key(asked), by_key(effective.config)
    return tuple(
        Reported(key, wanted.get(key), used.get(key))
        for key in sorted(wanted.keys() | used.keys())
        if wanted.get(key) != used.get(key)
    )
