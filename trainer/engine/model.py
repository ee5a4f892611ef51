"""The model: new from a config and a seed, pretrained from a folder, or as a checkpoint has it.

Weights come from safetensors only and code from the installed transformers only: nothing that lies beside
the weights is ever run. Parameters are float32 whatever the file's type: they are the master weights.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file
from transformers.initialization import no_init_weights

from state.amounts import count
from state.contract.request import ModelConfig
from trainer.engine.failures import EnvironmentFailure, SettingsError

WEIGHTS_NAME = "model.safetensors"
CONFIG_NAME = "config.json"
GENERATION_NAME = "generation_config.json"
_SCALES_LOGITS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")
"""Config fields of models that change the logits after the head; our loss calls the head alone."""


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
    return _checked(model, wanted)


def pretrained_model(wanted: ModelConfig, folder: Path, *, keep_types: bool = False) -> Any:
    """Return the model in the folder, found to be the one that was asked for.

    `keep_types` leaves the weights in the type of their file, for whoever changes it at once.

    Raises:
        EnvironmentFailure: it is another architecture, vocabulary or config, has no safetensors weights, or
            lacks some of the architecture's.
    """
    found = read_config(folder)
    _check_same("architecture", folder, _architecture(found, folder), wanted.architecture)
    _check_same("vocab_size", folder, found.get("vocab_size"), wanted.vocab_size)
    if wanted.config_digest is not None:
        digest = "sha256:" + hashlib.sha256((folder / CONFIG_NAME).read_bytes()).hexdigest()
        _check_same("the digest of config.json", folder, digest, wanted.config_digest)
    if not any(folder.glob("*.safetensors")):
        raise EnvironmentFailure(f"{folder}: no *.safetensors here; other weight files are never loaded")
    try:
        model, loaded = _model_class(wanted.architecture).from_pretrained(
            folder,
            dtype="auto" if keep_types else torch.float32,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise EnvironmentFailure(f"{folder}: cannot be loaded: {error}") from error
    _check_whole(folder, loaded)
    return _checked(model, wanted)


def _check_whole(folder: Path, loaded: Mapping[str, Any]) -> None:
    """Refuse weights of which some are not in the files: transformers makes them up at random."""
    missing = sorted(loaded["missing_keys"])
    if missing:
        others = sorted(loaded["unexpected_keys"])
        instead = (
            f"; of {count(len(others), 'tensor')} there it knows nothing, as {others[0]!r}" if others else ""
        )
        raise EnvironmentFailure(
            f"{folder}: {count(len(missing), 'tensor')} of the model not in its files, for example "
            f"{missing[0]!r}{instead}. Bring the whole model: what is missing would be random"
        )


def saved_model(folder: Path) -> Any:
    """Return the model of one of our checkpoints; its files were verified before.

    The weights are copied into memory of torch's own, so that they lie as they did when they were trained.
    """
    model = empty_model(read_config(folder), folder)
    copy_tensors(load_file(folder / WEIGHTS_NAME), weight_tensors(model), folder / WEIGHTS_NAME)
    return model


def empty_model(config_fields: dict[str, Any], folder: Path) -> Any:
    """Return the model that a checkpoint's config.json describes; its weights are still to be copied in."""
    model_class = _model_class(_architecture(config_fields, folder))
    with no_init_weights():
        model = model_class(model_class.config_class.from_dict(config_fields))
    model.tie_weights()  # what no_init_weights leaves out: a tied head has no weights of its own
    generation = folder / GENERATION_NAME
    if generation.is_file():
        model.generation_config = transformers.GenerationConfig.from_dict(json.loads(generation.read_bytes()))
    return model


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


def copy_tensors(source: Mapping[str, torch.Tensor], target: Mapping[str, torch.Tensor], name: Path) -> None:
    """Copy each tensor into the one of the same name.

    Raises:
        EnvironmentFailure: a name or a shape is on one side only.
    """
    unlike = sorted(source.keys() ^ target.keys()) or [
        key for key in target if source[key].shape != target[key].shape
    ]
    if unlike:
        raise EnvironmentFailure(f"{name}: does not fit the model, for example at {unlike[0]!r}")
    with torch.no_grad():
        for key, tensor in target.items():
            tensor.copy_(source[key])


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


def _architecture(config: dict[str, Any], folder: Path) -> str:
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


def _checked(model: Any, wanted: ModelConfig) -> Any:
    config = model.config
    scaled = [name for name in _SCALES_LOGITS if getattr(config, name, None) not in (None, 1)]
    if scaled or model.get_output_embeddings() is None:
        raise SettingsError(
            f"{wanted.architecture} changes its logits after the head "
            f"({', '.join(scaled) or 'no plain head'}); this engine does not train such models yet"
        )
    rows = model.get_input_embeddings().weight.shape[0]
    if rows != wanted.vocab_size:
        raise SettingsError(f"the model has {rows} embeddings; the hero says vocab_size {wanted.vocab_size}")
    return model.train()
