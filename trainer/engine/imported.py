"""Weights that other software saved: of the run's model, in one file or in shards, never unpickled.

Only safetensors and config.json are read. What else was saved there (optimizer, schedule, random numbers) is
not used: training begins with fresh state.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from state.contract.request import RunRequest
from trainer.checkpoints.errors import CheckpointError
from trainer.engine.model import WEIGHTS_NAME, copy_tensors, empty_model, read_config, weight_tensors

_T = TypeVar("_T")
INDEX_NAME = "model.safetensors.index.json"
_SIZES = (
    *("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "head_dim", "tie_word_embeddings"),
)
"""Fields of a config.json that make another model when they differ."""


def imported_model(request: RunRequest, folder: Path) -> Any:
    """Return the model in an imported checkpoint, in float32; its files were verified before.

    Raises:
        CheckpointError: it is another model than the run asks for, or its weights are not whole.
        EnvironmentFailure: its weights do not fit its own config.json.
    """
    _check_same(read_config(folder), request, folder)
    return foreign_model(folder)


def foreign_model(folder: Path) -> Any:
    """Return whatever model lies in a folder that other software wrote, in float32.

    Raises:
        CheckpointError: its weights are not whole.
        EnvironmentFailure: its weights do not fit its own config.json.
    """
    model = empty_foreign_model(folder)
    copy_tensors(without_second_names(_tensors(folder), model), weight_tensors(model), folder)
    return model


def empty_foreign_model(folder: Path) -> Any:
    """Return the model that the config.json of other software describes, its weights still to be filled in.

    Raises:
        EnvironmentFailure: config.json does not describe one.
    """
    return empty_model({**read_config(folder), "dtype": "float32"}, folder)


def without_second_names(tensors: Mapping[str, _T], model: Any) -> dict[str, _T]:
    """Return tensors without those of a tied head, which other software may save a second time."""
    second_names = set(model.state_dict()) - set(weight_tensors(model))
    return {name: one for name, one in tensors.items() if name not in second_names}


def shapes_in(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor in a folder's safetensors, by the headers of its files.

    Raises:
        CheckpointError: they cannot be read.
    """
    found: dict[str, tuple[int, ...]] = {}
    for path in weight_files(folder):
        try:
            with safe_open(path, "pt") as file:
                found |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{path}: its header cannot be read: {error}") from error
    return found


def weight_files(folder: Path) -> list[Path]:
    """Return the one file of a folder's weights, or its shards.

    Raises:
        CheckpointError: its index cannot be read.
    """
    if (folder / WEIGHTS_NAME).is_file():
        return [folder / WEIGHTS_NAME]
    try:
        names = json.loads((folder / INDEX_NAME).read_bytes())["weight_map"].values()
        return [folder / Path(name).name for name in sorted(set(names))]
    except (OSError, ValueError, RecursionError, LookupError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{folder}: its weights cannot be read: {error}") from error


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    try:
        shards = [load_file(path) for path in weight_files(folder)]
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{folder}: its weights cannot be read: {error}") from error
    return {name: tensor for shard in shards for name, tensor in shard.items()}


def _check_same(found: dict[str, Any], request: RunRequest, folder: Path) -> None:
    """Refuse weights of another model; what a config.json does not say is not compared."""
    wanted = request.config.model
    fields = read_config(Path(request.model_dir)) if request.model_dir is not None else wanted.config
    asked = {key: fields[key] for key in _SIZES if key in fields}
    asked |= {"architectures": [wanted.architecture], "vocab_size": wanted.vocab_size}
    for key, value in asked.items():
        if found.get(key, value) != value:
            raise CheckpointError(
                f"{folder.name}: {key} is {found[key]!r}; the run asks for {value!r}. "
                "These weights are of another model: another campaign's hero may have it."
            )
