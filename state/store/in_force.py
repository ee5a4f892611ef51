"""The config that a run trains with: that of its launch, or a later one that it was told to take up."""

import msgspec

from state.store.rows import RunRow


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """A config with the number that it has among those of its campaign."""

    generation: int
    config_hash: str
    config_json: str
    specs_commit: str


def in_force(run: RunRow) -> InForce:
    """Return the config in force."""
    if run.told_generation is None:
        return InForce(
            generation=run.generation,
            config_hash=run.config_hash,
            config_json=run.config_json,
            specs_commit=run.specs_commit,
        )
    return InForce(
        generation=run.told_generation,
        config_hash=run.told_config_hash or "",
        config_json=run.told_config_json or "",
        specs_commit=run.told_specs_commit or "",
    )


def told(run: RunRow, config: InForce) -> RunRow:
    """Return the row of a run that was told to take up this config."""
    return msgspec.structs.replace(
        run,
        told_generation=config.generation,
        told_config_hash=config.config_hash,
        told_config_json=config.config_json,
        told_specs_commit=config.specs_commit,
    )
