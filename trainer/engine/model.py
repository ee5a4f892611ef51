"""The model: new from a config and a seed, pretrained from a folder, or as a checkpoint has it.

Weights come from safetensors only and code from the installed transformers only: nothing that lies beside
the weights is ever run. Parameters are float32 whatever the file's type: they are the master weights.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file
from transformers.initialization import no_init_weights

from state.amounts import count
from state.contract.request import ModelConfig
from state.contract.scaled_logits import scaled_logits
from trainer.engine.failures import EnvironmentFailure, SettingsError

WEIGHTS_NAME = "model.safetensors"
CONFIG_NAME = "config.json"
GENERATION_NAME = "generation_config.json"
_NOT_LOADED = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError)
"""What a config.json whose values are of another kind makes transformers raise."""


def new_model(wanted: ModelConfig, seed: int, special_ids: Mapping[str, int]) -> Any:
    """Return the architecture with weights that depend on the seed and the config alone.

    Raises:
        SettingsError: the architecture is unknown, or a field of its config is.
    """
    model_class = _model_class(wanted.architecture)
    _check_fields(model_class.config_class, wanted.config)
    try:
        fields = {**wanted.config, **special_ids, "vocab_size": wanted.vocab_size}
        config = model_class.config_class(**fields, architectures=[wanted.architecture], dtype="float32")
        torch.manual_seed(seed)
        model = model_class(config)
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise SettingsError(f"model.config does not make a {wanted.architecture}: {error}") from error
    return check_trainable(model, wanted.vocab_size)


def pretrained_model(wanted: ModelConfig, folder: Path, *, keep_types: bool = False) -> Any:
    """Return the model in the folder, found to be the one that was asked for.

    `keep_types` leaves the weights in the type of their file, for whoever changes it at once.

    Raises:
        EnvironmentFailure: it is another architecture, vocabulary or config, has no safetensors weights, or
            lacks some of the architecture's.
    """
    found = read_config(folder)
    _check_same("architecture", folder, architecture_of(found, folder), wanted.architecture)
    _check_same("vocab_size", folder, found.get("vocab_size"), wanted.vocab_size)
    if wanted.config_digest is not None:
        digest = "sha256:" + hashlib.sha256((folder / CONFIG_NAME).read_bytes()).hexdigest()
        _check_same("the digest of config.json", folder, digest, wanted.config_digest)
    if not any(folder.glob("*.safetensors")):
        raise EnvironmentFailure(f"{folder}: no *.safetensors here; other weight files are never loaded")
    model, _ = filled_model(
        folder,
        wanted.architecture,
        folder,
        dtype="auto" if keep_types else torch.float32,
        use_safetensors=True,
        local_files_only=True,
    )
    return check_trainable(model, wanted.vocab_size)


def filled_model(
    folder: Path, architecture: str, source: Path | None, **how: Any
) -> tuple[Any, tuple[str, ...]]:
    """Return the model as transformers fills it from a source, and the tensors that it did not use.

    `folder` is what errors name; `how` are further arguments of `from_pretrained`.

    Raises:
        EnvironmentFailure: a tensor of the architecture is not there, or has another shape.
        SettingsError: the architecture is unknown.
    """
    model_class = _model_class(architecture)
    try:
        model, loaded = model_class.from_pretrained(
            source, output_loading_info=True, ignore_mismatched_sizes=True, **how
        )
    except _NOT_LOADED as error:
        raise EnvironmentFailure(f"{folder}: cannot be loaded: {_one_line(error)}") from error
    shapes = {name: (tuple(found), tuple(wanted)) for name, found, wanted in loaded["mismatched_keys"]}
    unused = tuple(sorted(loaded["unexpected_keys"]))
    _refuse_unlike(folder, sorted(loaded["missing_keys"]), unused, shapes)
    return model, unused


def _refuse_unlike(
    folder: Path,
    missing: Sequence[str],
    unknown: Sequence[str],
    shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]],
) -> None:
    """Refuse weights that do not fill the model: transformers would make up the rest at random.

    `shapes`: of each tensor of another shape its own, and the model's.
    """
    if missing:
        told = count(len(unknown), "tensor")
        instead = f"; of {told} there it knows nothing, as {unknown[0]!r}" if unknown else ""
        raise EnvironmentFailure(
            f"{folder}: {count(len(missing), 'tensor')} of the model not in its files, for example "
            f"{missing[0]!r}{instead}. Bring the whole model: what is missing would be random"
        )
    if shapes:
        name, (found, wanted) = min(shapes.items())
        raise EnvironmentFailure(
            f"{folder}: {count(len(shapes), 'tensor')} of another shape than config.json says: {name!r} is "
            f"{_shape(found)}, the model has {_shape(wanted)}. Bring weights and config.json of one model"
        )


def _shape(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes)) or "one number"


def saved_model(folder: Path) -> Any:
    """Return the model of one of our checkpoints; its files were verified before.

    The weights are copied into memory of torch's own, so that they lie as they did when they were trained.
    """
    model = empty_model(read_config(folder), folder)
    copy_tensors(load_file(folder / WEIGHTS_NAME), weight_tensors(model), folder / WEIGHTS_NAME)
    return model


def empty_model(config_fields: dict[str, Any], folder: Path) -> Any:
    """Return the model that a checkpoint's config.json describes; its weights are still to be copied in."""
    model_class = _model_class(architecture_of(config_fields, folder))
    config = config_from(config_fields, folder)
    try:
        with no_init_weights():
            model = model_class(config)
    except _NOT_LOADED as error:
        raise EnvironmentFailure(
            f"{folder / CONFIG_NAME} does not make a model: {_one_line(error)}"
        ) from error
    model.tie_weights()  # what no_init_weights leaves out: a tied head has no weights of its own
    generation = folder / GENERATION_NAME
    if generation.is_file():
        model.generation_config = transformers.GenerationConfig.from_dict(json.loads(generation.read_bytes()))
    return model


def config_from(fields: dict[str, Any], folder: Path) -> Any:
    """Return transformers' config of what a folder's config.json says.

    Raises:
        EnvironmentFailure: a value is of another kind than the architecture's config has.
        SettingsError: the architecture is unknown.
    """
    config_class = _model_class(architecture_of(fields, folder)).config_class
    try:
        return config_class.from_dict(fields)
    except Exception as error:  # transformers checks the values with classes of its own
        raise EnvironmentFailure(
            f"{folder / CONFIG_NAME} is no {config_class.__name__}: {_one_line(error)}"
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def compute_layers_twice(model: Any) -> None:
    """Keep no activations inside layers from now on: the backward pass computes them again.

    By the reentrant way: the other one, which is transformers' own choice, calls back into Python for each
    tensor that a layer keeps, and a GPU waits for that.
    """
    newer = getattr(model, "activation_checkpointing_enable", None)  # the name in newer versions
    (newer or model.gradient_checkpointing_enable)({"use_reentrant": True})


def computes_twice(model: Any) -> bool:
    """Are the model's layers computed twice?"""
    newer = getattr(model, "is_activation_checkpointing", None)  # the name in newer versions
    return bool(model.is_gradient_checkpointing if newer is None else newer)


def weight_tensors(model: Any) -> dict[str, torch.Tensor]:
    """Return what a checkpoint keeps of the model: each parameter once (tied ones too), and saved buffers."""
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    state_names = set(model.state_dict())
    buffers = {name: buffer for name, buffer in model.named_buffers() if name in state_names}
    return parameters | buffers


def copy_tensors(
    source: Mapping[str, torch.Tensor], target: Mapping[str, torch.Tensor], folder: Path
) -> None:
    """Copy each tensor into the one of the same name.

    Raises:
        EnvironmentFailure: a name or a shape is on one side only.
    """
    check_same_tensors(shapes_of(source), shapes_of(target), folder)
    with torch.no_grad():
        for key, tensor in target.items():
            tensor.copy_(source[key])


def shapes_of(tensors: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def check_same_tensors(
    found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]], folder: Path
) -> None:
    """Compare names and shapes of the tensors in a folder or file with those of the model.

    Raises:
        EnvironmentFailure: a name or a shape is on one side only.
    """
    unknown = sorted(found.keys() - wanted.keys())
    other = {name: (found[name], shape) for name, shape in wanted.items() if found.get(name, shape) != shape}
    _refuse_unlike(folder, sorted(wanted.keys() - found.keys()), unknown, other)
    if unknown:
        raise EnvironmentFailure(
            f"{folder}: {count(len(unknown), 'tensor')} there of which the model knows nothing, for example "
            f"{unknown[0]!r}. Bring weights and config.json of one model"
        )


def read_config(folder: Path) -> dict[str, Any]:
    """Return the content of a model folder's config.json.

    Raises:
        EnvironmentFailure: there is none, or it is no JSON object.
    """
    try:
        found = json.loads((folder / CONFIG_NAME).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise EnvironmentFailure(f"{folder / CONFIG_NAME}: cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise EnvironmentFailure(f"{folder / CONFIG_NAME}: not a JSON object")
    return found


def _model_class(architecture: str) -> Any:
    model_class = getattr(transformers, architecture, None)
    if model_class is None or not architecture.endswith("ForCausalLM"):
        raise SettingsError(
            f"architecture {architecture!r} is none of transformers {transformers.__version__}; "
            "expected a class like Qwen3ForCausalLM"
        )
    return model_class


def architecture_of(config: dict[str, Any], folder: Path) -> str:
    """Return the one class that a model folder's config.json names.

    Raises:
        EnvironmentFailure: it names none, or several.
    """
    names = config.get("architectures")
    if not isinstance(names, list) or len(names) != 1 or not isinstance(names[0], str):
        raise EnvironmentFailure(f"{folder / CONFIG_NAME}: architectures is {names!r}; expected one name")
    return names[0]


def _check_fields(config_class: Any, fields: Mapping[str, Any]) -> None:
    unknown = sorted(set(fields) - set(config_class().to_dict()))
    if unknown:
        raise SettingsError(f"model.config.{unknown[0]} is no field of {config_class.__name__}")


def _check_same(what: str, folder: Path, found: object, expected: object) -> None:
    if found != expected:
        raise EnvironmentFailure(f"{folder}: {what} is {found!r}; the hero says {expected!r}")


def check_trainable(model: Any, vocab_size: int) -> Any:
    """Return the model, ready to train, found to be one that this engine can.

    Raises:
        SettingsError: its logits are no plain product with its head, or its vocabulary has another size.
    """
    config = model.config
    scaled = scaled_logits(config.to_dict())
    if scaled or model.get_output_embeddings() is None:
        raise SettingsError(
            f"{type(model).__name__} changes its logits after the head "
            f"({', '.join(scaled) or 'no plain head'}); this engine does not train such models yet"
        )
    rows = model.get_input_embeddings().weight.shape[0]
    if rows != vocab_size:
        raise SettingsError(f"the model has {rows} embeddings; the hero says vocab_size {vocab_size}")
    return model.train()
