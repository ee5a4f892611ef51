"""What an older system's config.json says of model and training, and what of it nobody here honours. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from reconciler.desired.training import TrainingSettings

_HYPERPARAMS = {
    "fp_precision": "precision",
    "batch_size": "batch_size",
    "gradient_accumulation": "gradient_accumulation",
    "learning_rate": "learning_rate",
    "max_length": "max_length",
    "use_gradient_checkpointing": "gradient_checkpointing",
}
"""Key in `hyperparams` → ours; the same keys outside of it are older still."""
_OUTSIDE = ("batch_size", "gradient_accumulation", "learning_rate", "warmup_steps", "max_length")
_OPTIMIZERS = ("adamw", "muon")
_NOT_CARRIED = (
    *("self_correction", "auto_run", "auto_generate", "remote_eval", "curriculum", "retention", "deepspeed"),
    *("lora", "liger", "environment", "performance_baselines"),
)


class OlderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a config.json says of training."""

    values: Mapping[str, Any] = {}
    """By our names."""
    notes: tuple[str, ...] = ()


def model_of_config(config: Mapping[str, Any] | None) -> str | None:
    """Return the last part of the model's name that a config.json trains."""
    for key in ("base_model", "model_path"):
        name = (config or {}).get(key)
        if isinstance(name, str) and name.strip("/"):
            return name.rstrip("/").rpartition("/")[2]
    return None


def settings_of(config: Mapping[str, Any], name: str) -> OlderSettings:
    """Return the training settings of a config.json that is called `name`."""
    inner = config.get("hyperparams")
    inner = inner if isinstance(inner, Mapping) else {}
    values = {key: config[key] for key in _OUTSIDE if key in config}
    notes = []
    for theirs, ours in _HYPERPARAMS.items():
        if theirs not in inner:
            continue
        if ours in values and values[ours] != inner[theirs]:
            told = f"{ours} is {values[ours]}, hyperparams.{theirs} is {inner[theirs]}: the latter counts"
            notes.append(f"{name}: {told}")
        values[ours] = inner[theirs]
    optimizer = _optimizer(config)
    if optimizer in _OPTIMIZERS:
        values["optimizer"] = optimizer
    left = [*_left(config), *([f"optimizer {optimizer}"] if optimizer not in (None, *_OPTIMIZERS) else [])]
    if left:
        notes.append(f"{name}: not carried over: {', '.join(left)}")
    return OlderSettings(values=dict(_valid(values)), notes=tuple(notes))


def overrides(settings: OlderSettings, defaults: TrainingSettings | None) -> tuple[dict[str, Any], list[str]]:
    """Return what differs from a hero's own settings; a length that would grow is left out, and named."""
    found, notes = {}, []
    for key, value in settings.values.items():
        own = getattr(defaults, key) if defaults is not None else None
        if value == own or (key == "optimizer" and own is None and value == _OPTIMIZERS[0]):
            continue
        if key == "max_length" and own is not None and value > own:
            notes.append(
                f"max_length {value} is not carried over: it may shrink and never grow, the hero has {own}"
            )
            continue
        found[key] = value
    return found, notes


def _optimizer(config: Mapping[str, Any]) -> str | None:
    section = config.get("optimizer")
    kind = section.get("type") if isinstance(section, Mapping) else section
    return kind if isinstance(kind, str) else None


def _left(config: Mapping[str, Any]) -> Iterator[str]:
    for key in _NOT_CARRIED:
        section = config.get(key)
        if isinstance(section, Mapping) and section.get("enabled", bool(section)):
            yield key
    profile = config.get("profile")
    name = profile.get("name") if isinstance(profile, Mapping) else None
    if name not in (None, "none"):
        yield f"profile {name}"


def _valid(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings that are ones: what no spec may say is left out."""
    for key, value in values.items():
        try:
            msgspec.convert({key: value}, TrainingSettings)
        except msgspec.ValidationError:
            continue
        yield key, value
