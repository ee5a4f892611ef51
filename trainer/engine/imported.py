"""Weights that other software saved: of the run's model, in one file or in shards, never unpickled.

Only safetensors and config.json are read. What else was saved there (optimizer, schedule, random numbers) is
not used: training begins with fresh state.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from state.contract.request import RunRequest
from trainer.checkpoints.errors import CheckpointError
from trainer.engine.model import WEIGHTS_NAME, copy_tensors, empty_model, read_config, weight_tensors

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
    found = read_config(folder)
    model = empty_model({**found, "dtype": "float32"}, folder)
    wanted = weight_tensors(model)
    # A tied head has no weights of its own, though other software may save it a second time.
    second_names = set(model.state_dict()) - set(wanted)
    tensors = {name: one for name, one in _tensors(folder).items() if name not in second_names}
    copy_tensors(tensors, wanted, folder)
    return model


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    try:
        if (folder / WEIGHTS_NAME).is_file():
            return dict(load_file(folder / WEIGHTS_NAME))
        names = json.loads((folder / INDEX_NAME).read_bytes())["weight_map"].values()
        shards = [load_file(folder / Path(name).name) for name in sorted(set(names))]
    except (OSError, ValueError, RecursionError, KeyError, AttributeError, SafetensorError) as error:
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
