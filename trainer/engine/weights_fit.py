"""Would the weights in a folder fill the model that its config.json describes? Told from headers alone.

Launching asks the same, but with the weights in memory: here only names and shapes are read, in the way in
which the weights would be loaded. A pretrained base goes through transformers, which knows the older names of
an architecture's tensors; a checkpoint of other software is copied name by name.
"""

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import torch
import transformers

from state.contract.weights_fit import WeightsFit
from trainer.checkpoints.errors import CheckpointError
from trainer.engine.failures import TrainingError
from trainer.engine.imported import empty_foreign_model, shapes_in, without_second_names
from trainer.engine.model import (
    architecture_of,
    check_same_tensors,
    check_trainable,
    config_from,
    filled_model,
    read_config,
    shapes_of,
    weight_tensors,
)

_PACKED = "quantization_config"
EXIT_DONE = 0


def main(options: argparse.Namespace) -> int:
    """Write the answer for a folder as one line of JSON; return the process's exit code."""
    logging.disable(logging.WARNING)  # transformers reports at length what the answer says in a sentence
    transformers.utils.logging.disable_progress_bar()
    told = base_fit(options.base) if options.base is not None else checkpoint_fit(options.checkpoint)
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    return EXIT_DONE


def base_fit(folder: Path) -> WeightsFit:
    """Return whether a run could begin with the pretrained model in the folder."""
    try:
        said = read_config(folder)
        if _PACKED in said:
            return WeightsFit(why_not=f"its config.json has a {_PACKED}: its tensors are packed")
        config = config_from(said, folder)
        with _nothing_made_up():
            model, unused = filled_model(
                folder,
                architecture_of(said, folder),
                None,
                config=config,
                state_dict=_stand_ins(folder),
                dtype=torch.float32,
            )
        check_trainable(model, config.vocab_size)
    except (TrainingError, CheckpointError) as error:
        return WeightsFit(problem=str(error))
    return WeightsFit(unused=unused)


def checkpoint_fit(folder: Path) -> WeightsFit:
    """Return whether a run could go on from the weights that other software saved in the folder."""
    try:
        with torch.device("meta"):
            model = empty_foreign_model(folder)
        found = without_second_names(shapes_in(folder), model)
        check_same_tensors(found, shapes_of(weight_tensors(model)), folder)
        check_trainable(model, model.config.vocab_size)
    except (TrainingError, CheckpointError) as error:
        return WeightsFit(problem=str(error))
    return WeightsFit()


@contextmanager
def _nothing_made_up() -> Iterator[None]:
    """Let no tensor that the files lack be drawn: of a large model that takes minutes, and all memory."""
    made_up = transformers.PreTrainedModel.initialize_weights
    transformers.PreTrainedModel.initialize_weights = lambda _: None
    try:
        yield
    finally:
        transformers.PreTrainedModel.initialize_weights = made_up


def _stand_ins(folder: Path) -> dict[str, torch.Tensor]:
    """Return tensors of the same names and shapes that take no memory: each is one number, seen often."""
    one = torch.zeros((), dtype=torch.float32)
    return {name: one.expand(shape) for name, shape in shapes_in(folder).items()}
