"""The settings of a campaign, each with where it comes from: later layers win, nothing is guessed.

Pure. Called by `plan` (the values become `request.config`) and by `explain --origin`. The layers are
built in < realm < hero < campaign < host < command line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from reconciler.desired.desired import Desired, Said, Source
from reconciler.desired.training import ALIASES, HeldOutFile, TrainingSettings
from state.contract.run_config import ALL_LINEAR, LossGuardConfig

BUILT_IN: Mapping[str, Any] = {
    "precision": "auto",  # what the device computes well
    "batch_size": 1,
    "gradient_accumulation": 16,  # 16 documents an update, as the first heroes were trained
    "optimizer": "adamw",
    "method": "full",
    "lora.rank": 16,  # with alpha 32 and all linear layers, as the older trainers had it
    "lora.alpha": 32.0,
    "lora.dropout": 0.05,
    "lora.target_modules": ALL_LINEAR,
    "learning_rate": 1e-4,  # low enough not to spoil weights that exist
    "lr_scheduler": "constant",  # a campaign has no last step towards which a rate could fall
    "schedule_updates": None,  # so nobody but the spec can say where it ends
    "final_rate_ratio": 0.1,  # what language models are mostly trained down to
    "warmup_steps": 100,
    "weight_decay": 0.0,  # what the older trainers used where nothing was said
    "weight_decay_on": "matrices",
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "muon_learning_rate": None,  # learning_rate serves both
    "muon_momentum": 0.95,
    "clip": 1.0,
    "seed": 0,
    "gradient_checkpointing": False,
    "packing": True,
    "compile": False,
    "evaluation.every_updates": 200,
    "evaluation.held_out": 0.02,
    "evaluation.max_rows": 512,  # a measurement costs seconds, whatever the quest's size
    "checkpoint.every_updates": 500,
    "checkpoint.every_minutes": 15.0,
    **{f"loss_guard.{name}": value for name, value in msgspec.structs.asdict(LossGuardConfig()).items()},
    "loss_guard.rollbacks": 2,  # a rate that is far too high is found within two halvings
    "loss_guard.rate_factor": 0.5,
}
"""Every setting but max_length, which the hero's context_length bounds."""

BUILT_IN_MAX_LENGTH = 2048
_IN_4_BITS = ("load_in_4bit",)
"""An older key: true says a method, false says nothing."""
_IGNORED = frozenset({"save_total_limit", "liger_kernel"})
"""Older keys that are no settings here; `unsupported` says what becomes of them."""


LAYERS = ("built in", "realm", "hero", "campaign", "host", "command line")
"""Their names, the weakest first."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A value that one layer gives."""

    value: Any
    origin: str
    """`built in`, `specs/heroes/pip.yaml:21`, or the words of the command line."""
    layer: str
    """One of `LAYERS`."""


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The value that counts, and those it hides."""

    value: Any
    origin: str
    layer: str
    shadowed: tuple[Setting, ...] = ()
    """The hidden ones, the nearest layer first, without the built-in one."""


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """What one layer gives, by key path such as `evaluation.every_updates`."""

    name: str
    settings: Mapping[str, Setting]


def layers_of(desired: Desired, campaign: str) -> tuple[Layer, ...]:
    """Return the layers of a campaign that is in the specs, the weakest first.

    Whatever machine and command line say counts for every campaign.
    """
    hero, own = desired.hero_of(campaign), desired.campaigns[campaign]
    older = {**_older_optimizer(hero), **_older_adapters(hero)}
    return (
        _built_in(hero.spec.model.context_length),
        _of_spec("realm", desired.realm, desired.realm.spec.defaults, "defaults"),
        _of_spec("hero", hero, hero.spec.training_defaults, "training_defaults", weaker=older),
        _of_spec("campaign", own, own.spec.config_overrides, "config_overrides"),
        _host(desired),
        _command_line(desired.here.said),
    )


def resolve(layers: Sequence[Layer]) -> dict[str, Resolved]:
    """Return every setting, sorted by key path; the last layer that gives one wins."""
    given: dict[str, list[Setting]] = {}
    for layer in layers:
        for key, setting in layer.settings.items():
            given.setdefault(key, []).append(setting)
    return {key: _resolved(settings) for key, settings in sorted(given.items())}


def held_out_of(desired: Desired, campaign: str) -> float | HeldOutFile:
    """Return `evaluation.held_out` as `resolve` has it, without finding out where each setting stands."""
    host, said = desired.this_host, desired.here.said
    strongest_first = (
        said.settings if said else None,
        host.training if host else None,
        desired.campaigns[campaign].spec.config_overrides,
        desired.hero_of(campaign).spec.training_defaults,
        desired.realm.spec.defaults,
    )
    given = (one.evaluation.held_out for one in strongest_first if one and one.evaluation)
    built_in: float = BUILT_IN["evaluation.held_out"]
    return next((value for value in given if value is not None), built_in)


def _resolved(settings: Sequence[Setting]) -> Resolved:
    *hidden, last = settings
    shown = tuple(one for one in reversed(hidden) if one.layer != "built in")
    return Resolved(value=last.value, origin=last.origin, layer=last.layer, shadowed=shown)


def _built_in(context_length: int) -> Layer:
    values = {**BUILT_IN, "max_length": min(BUILT_IN_MAX_LENGTH, context_length)}
    settings = {
        key: Setting(value=value, origin="built in", layer="built in") for key, value in values.items()
    }
    return Layer(name="built in", settings=settings)


def _host(desired: Desired) -> Layer:
    source, id_ = desired.hosts, desired.here.host
    if source is None or id_ is None:
        return Layer(name="host", settings={})
    return _of_spec("host", source, source.spec.hosts[id_].training, "hosts", id_, "training")


def _command_line(said: Said | None) -> Layer:
    if said is None:
        return Layer(name="command line", settings={})
    return _layer("command line", said.settings, lambda path: f"--set {said.word_for(path)}")


def _of_spec(
    name: str,
    source: Source[Any],
    settings: TrainingSettings | None,
    *section: str,
    weaker: Mapping[str, Setting] | None = None,
) -> Layer:
    return _layer(name, settings, lambda path: source.where(*section, *path), weaker)


def _layer(
    name: str,
    settings: TrainingSettings | None,
    origin_of: Callable[[tuple[str, ...]], str],
    weaker: Mapping[str, Setting] | None = None,
) -> Layer:
    found = dict(weaker or {})
    for path, value in _flat(settings) if settings else ():
        key, said = ALIASES.get(".".join(path), ".".join(path)), value
        if path == _IN_4_BITS:
            if not value:
                continue
            key, said = "method", "qlora"
        found[key] = Setting(value=said, origin=origin_of(path), layer=name)
    return Layer(name=name, settings=found)


def _flat(record: msgspec.Struct, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each setting that is given, with its key path; a held-out file is one setting."""
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if value is None or (not at and name in _IGNORED):
            continue
        path = (*at, name)
        if isinstance(value, msgspec.Struct) and not isinstance(value, HeldOutFile):
            yield from _flat(value, path)
        else:
            yield path, value


def _older_optimizer(hero: Source[Any]) -> dict[str, Setting]:
    """Return the optimizer that an older hero names under `trainer`; weaker than training_defaults."""
    trainer = hero.spec.trainer
    if trainer is None or trainer.optimizer is None:
        return {}
    origin = hero.where("trainer", "optimizer")
    return {"optimizer": Setting(value=trainer.optimizer, origin=origin, layer="hero")}


def _older_adapters(hero: Source[Any]) -> dict[str, Setting]:
    """Return what an older hero says of adapters under `qlora`; weaker than training_defaults."""
    older, defaults = hero.spec.qlora, hero.spec.training_defaults
    if older is None or not older.enabled:
        return {}
    is_whole = defaults is not None and defaults.load_in_4bit is False
    said = {
        "enabled": ("method", "lora" if is_whole else "qlora"),
        "r": ("lora.rank", older.r),
        "alpha": ("lora.alpha", older.alpha),
        "dropout": ("lora.dropout", older.dropout),
        "target_modules": ("lora.target_modules", older.target_modules),
    }
    return {
        key: Setting(value=value, origin=hero.where("qlora", name), layer="hero")
        for name, (key, value) in said.items()
    }
