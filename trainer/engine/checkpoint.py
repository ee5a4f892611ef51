"""What goes into a checkpoint of this engine."""

from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError
from safetensors.torch import save_file

from state.contract.locked import locked_values
from state.contract.manifest import FileEntry, Manifest, with_digest
from state.contract.request import RunRequest
from trainer.checkpoints.errors import CheckpointError, NameTakenError
from trainer.checkpoints.save import publish_checkpoint
from trainer.checkpoints.state import (
    OPTIMIZER_NAME,
    STATE_NAME,
    MemoryState,
    TrainerState,
    group_names,
    optimizer_tensors,
    random_state,
)
from trainer.engine.clock import now_text
from trainer.engine.failures import EnvironmentFailure, InTheWayError
from trainer.engine.model import CONFIG_NAME, WEIGHTS_NAME, weight_tensors
from trainer.engine.optimizer import Optimizers
from trainer.engine.progress import Progress, measures
from trainer.engine.vocabulary import Vocabulary


def save_checkpoint(
    request: RunRequest,
    model: Any,
    optimizers: Optimizers,
    vocabulary: Vocabulary,
    progress: Progress,
    memory: MemoryState,
) -> Manifest:
    """Publish the campaign's checkpoint of this step.

    Raises:
        InTheWayError: something lies where it is to be saved.
        EnvironmentFailure: it could not be written whole; says which checkpoint is still the newest.
    """

    def write_model(folder: Path) -> None:
        save_file(weight_tensors(model), folder / WEIGHTS_NAME, metadata={"format": "pt"})
        model.config.to_json_file(folder / CONFIG_NAME, use_diff=False)
        model.generation_config.save_pretrained(folder)

    def write_optimizer(folder: Path) -> None:
        save_file(optimizer_tensors(optimizers), folder / OPTIMIZER_NAME)

    def write_state(folder: Path) -> None:
        state = TrainerState(
            step=progress.step,
            locked=locked_values(request.config),
            optimizers=group_names(optimizers),
            random=random_state(),
            memory=memory,
        )
        (folder / STATE_NAME).write_bytes(msgspec.json.encode(state) + b"\n")

    writers = (write_model, vocabulary.save, write_optimizer, write_state)
    try:
        return publish_checkpoint(
            Path(request.checkpoints_dir),
            progress.step,
            writers,
            lambda files: _manifest(request, progress, files),
        )
    except NameTakenError as error:
        raise InTheWayError(_cannot_save(progress, error)) from error
    except (OSError, CheckpointError, SafetensorError) as error:
        raise EnvironmentFailure(_cannot_save(progress, error)) from error


def _cannot_save(progress: Progress, error: Exception) -> str:
    newest = "there is no earlier one"
    if progress.parent is not None:
        newest = f"checkpoint-{progress.parent.step} is still the newest"
    return f"checkpoint-{progress.step} could not be saved: {error}; {newest}"


def _manifest(request: RunRequest, progress: Progress, files: tuple[FileEntry, ...]) -> Manifest:
    parent = progress.parent
    return with_digest(
        Manifest(
            campaign_uid=request.campaign_uid,
            campaign=request.campaign,
            segment=request.segment,
            step=progress.step,
            parent_step=parent.step if parent else None,
            parent_digest=parent.digest if parent else None,
            created_at=now_text(),
            generation=request.generation,
            attempt=request.attempt,
            config_hash=request.config_hash,
            code_version=request.code_version,
            specs_commit=request.specs_commit,
            locked=locked_values(request.config),
            optimizer=request.config.training.optimizer,
            healthy=True,  # a loss that is not finite ends the run before it can save
            quest_id=progress.quest_id,
            cursor=progress.cursor,
            learnt=progress.learnt,
            measures=measures(progress),
            files=files,
            recipe=progress.recipe,
            digest="",
        )
    )
