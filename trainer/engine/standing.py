"""The model that a run goes on with: as step 0 has it, or as a checkpoint has it, with adapters or without.

saved as      trained as    then
full          full          the checkpoint's weights
full          adapters      fresh adapters on the checkpoint's weights (a campaign that begins with it)
adapters      the same      the checkpoint's adapters on the weights that they belong to
adapters      full          the same, merged (a campaign that begins with it)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from state.contract.adapters import AdapterBase, AdapterShape, adapter_shape
from state.contract.manifest import Manifest
from state.contract.request import LoraConfig, ModelConfig, RunRequest, TrainingConfig
from trainer.checkpoints.errors import CheckpointError
from trainer.engine.adapters import put_adapters
from trainer.engine.bases import (
    base_checkpoint,
    check_base,
    checkpoint_base,
    folder_digest,
    tensors_digest,
)
from trainer.engine.device import Precision
from trainer.engine.failures import EnvironmentFailure
from trainer.engine.finite import check_finite
from trainer.engine.imported import foreign_model, imported_model
from trainer.engine.merging import keep_frozen_in, merge_adapters
from trainer.engine.model import new_model, pretrained_model, saved_model
from trainer.engine.model_files import load_adapters

SpecialIds = Mapping[str, int]


class Standing(NamedTuple):
    """A model on the CPU, and what lies frozen below its adapters."""

    model: Any
    base: AdapterBase | None
    """None: it has no adapters."""


def initial_model(request: RunRequest, special_ids: SpecialIds) -> Any:
    """Return the model as the campaign's step 0 has it, without adapters.

    Raises:
        SettingsError: pretrained weights are not finite.
    """
    config = request.config
    if config.model.init == "scratch":
        return new_model(config.model, config.training.seed, special_ids)
    folder = _model_folder(config.model, request.model_dir)
    model = pretrained_model(config.model, folder, keep_types=config.training.method == "qlora")
    return check_finite(model, folder)


def stand_at_the_beginning(request: RunRequest, special_ids: SpecialIds, precision: Precision) -> Standing:
    """Return the model of step 0, with fresh adapters where the config asks for them."""
    model, training = initial_model(request, special_ids), request.config.training
    if adapter_shape(training) is None:
        return Standing(model, None)
    if request.model_dir is not None:
        base = AdapterBase(kind="model", digest=folder_digest(Path(request.model_dir)))
    else:
        base = AdapterBase(kind="seed", digest=tensors_digest(model), seed=training.seed)
    return _with_fresh_adapters(model, base, request, precision)


def stand_at_a_checkpoint(
    request: RunRequest, special_ids: SpecialIds, precision: Precision, folder: Path, manifest: Manifest
) -> Standing:
    """Return the model that a verified checkpoint of the campaign has, to be trained as the config asks.

    Raises:
        EnvironmentFailure: the weights below its adapters are not those that they belong to.
        CheckpointError: those weights are not there whole.
    """
    training = request.config.training
    wanted = adapter_shape(training)
    if manifest.adapter_base is None:
        model = saved_model(folder)
        if wanted is None:
            return Standing(model, None)
        return _with_fresh_adapters(model, checkpoint_base(manifest), request, precision)
    model_dir = None if request.model_dir is None else Path(request.model_dir)
    if wanted is None:
        adapted = adapted_model(folder, manifest, special_ids, model_dir)
        return Standing(merge_adapters(adapted), None)
    model = adapted_model(folder, manifest, special_ids, model_dir, training, precision)
    return Standing(keep_frozen_in(model, precision), manifest.adapter_base)


def stand_at_an_import(
    request: RunRequest, precision: Precision, folder: Path, manifest: Manifest
) -> Standing:
    """Return the model that other software saved, with fresh adapters where the config asks for them.

    Raises:
        CheckpointError: it is another model than the run asks for, or not whole.
        SettingsError: its weights are not finite.
    """
    model = check_finite(imported_model(request, folder), folder)
    if adapter_shape(request.config.training) is None:
        return Standing(model, None)
    return _with_fresh_adapters(model, checkpoint_base(manifest), request, precision)


def adapted_model(
    folder: Path,
    manifest: Manifest,
    special_ids: SpecialIds,
    model_dir: Path | None,
    training: TrainingConfig | None = None,
    precision: Precision = "fp32",
) -> Any:
    """Return the model of a checkpoint of adapters: they, on the weights that they belong to.

    Without `training` they are only looked at: nothing is dropped out.

    Raises:
        EnvironmentFailure: the weights below are not those that they belong to.
        CheckpointError: those weights are not there whole.
    """
    locked, base = manifest.locked, manifest.adapter_base
    if locked is None or locked.adapter is None or base is None:
        raise CheckpointError(f"{folder}: its manifest does not say what its adapters are")
    shape = locked.adapter
    lora = _lora_of(shape) if training is None or training.lora is None else training.lora
    model = _base_model(base, locked.model, shape, special_ids, model_dir, folder)
    put_adapters(model, shape.method, lora, precision, seed=0, base_name=_named(base, locked.model))
    load_adapters(model, folder)
    return model


def _with_fresh_adapters(
    model: Any, base: AdapterBase, request: RunRequest, precision: Precision
) -> Standing:
    training, name = request.config.training, _named(base, request.config.model)
    if training.lora is None or training.method == "full":
        raise EnvironmentFailure(f"request.json: method {training.method} does not go with its lora section")
    put_adapters(model, training.method, training.lora, precision, seed=training.seed, base_name=name)
    return Standing(keep_frozen_in(model, precision), base)


def _base_model(
    base: AdapterBase,
    wanted: ModelConfig,
    shape: AdapterShape,
    special_ids: SpecialIds,
    model_dir: Path | None,
    adapted: Path,
) -> Any:
    match base.kind:
        case "checkpoint":
            folder, is_ours = base_checkpoint(base, adapted)
            return saved_model(folder) if is_ours else foreign_model(folder)
        case "seed":
            model = new_model(wanted, base.seed or 0, special_ids)
            check_base(base, tensors_digest(model), f"this version makes of seed {base.seed} what")
            return model
    folder = _model_folder(wanted, model_dir)
    check_base(base, folder_digest(folder), str(folder))
    return pretrained_model(wanted, folder, keep_types=shape.method == "qlora")


def _model_folder(wanted: ModelConfig, model_dir: str | Path | None) -> Path:
    if model_dir is None:
        raise EnvironmentFailure(
            f"the pretrained weights of {wanted.base_model} are asked for, but model_dir is null"
        )
    return Path(model_dir)


def _named(base: AdapterBase, wanted: ModelConfig) -> str | None:
    """Return what loaders of the wider ecosystem may find by name: never other weights than those below."""
    return wanted.base_model if base.kind == "model" else None


def _lora_of(shape: AdapterShape) -> LoraConfig:
    return LoraConfig(rank=shape.rank, alpha=shape.alpha, dropout=0.0, target_modules=shape.target_modules)
