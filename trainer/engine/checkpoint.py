"""What goes into a checkpoint of this engine: all of it as it is between two updates.

`Contents` names the tensors, which live on and change with the next update, and holds the rest as it was.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from torch import Tensor

from state.contract.adapters import AdapterBase
from state.contract.locked import locked_values
from state.contract.manifest import FileEntry, Manifest, with_digest
from state.contract.request import RunRequest
from trainer.checkpoints.state import (
    OPTIMIZER_NAME,
    STATE_NAME,
    TrainerState,
    group_names,
    optimizer_tensors,
    random_state,
)
from trainer.engine.clock import now_text
from trainer.engine.model_files import model_configs, model_tensors
from trainer.engine.progress import Progress, examined, measures
from trainer.engine.run_state import RunState

_OF_TRANSFORMERS = {"format": "pt"}
"""Without this transformers refuses to load the weights."""


class Contents(msgspec.Struct, frozen=True):
    """One checkpoint before it is written."""

    progress: Progress
    """Where it stands."""
    tensors: Mapping[str, Mapping[str, Tensor]]
    """By the name of their file. They are the living ones: the next update changes them."""
    metadata: Mapping[str, Mapping[str, str]]
    files: Mapping[str, bytes]
    """Small ones, whole."""
    save_vocabulary: Callable[[Path], None]
    """Writes the files of the tokenizer, which never change."""
    manifest: Callable[[tuple[FileEntry, ...]], Manifest]


def contents_of(state: RunState) -> Contents:
    """Return what a checkpoint of this moment holds."""
    progress, request, saved_at, base = state.progress, state.request, now_text(), state.adapter_base
    weights_name, weights = model_tensors(state.model)
    return Contents(
        progress=progress,
        tensors={
            weights_name: weights,
            OPTIMIZER_NAME: optimizer_tensors(state.optimizers),
        },
        metadata={weights_name: _OF_TRANSFORMERS},
        files={STATE_NAME: msgspec.json.encode(_trainer_state(state)) + b"\n", **model_configs(state.model)},
        save_vocabulary=state.vocabulary.save,
        manifest=lambda files: _manifest(request, base, progress, saved_at, files),
    )


def _trainer_state(state: RunState) -> TrainerState:
    return TrainerState(
        step=state.progress.step,
        locked=locked_values(state.request.config),
        optimizers=group_names(state.optimizers),
        random=random_state(),
        memory=state.shelf.budget.state,
        guard=state.guard,
    )


def _manifest(
    request: RunRequest,
    adapter_base: AdapterBase | None,
    progress: Progress,
    saved_at: str,
    files: tuple[FileEntry, ...],
) -> Manifest:
    parent = progress.parent
    return with_digest(
        Manifest(
            campaign_uid=request.campaign_uid,
            campaign=request.campaign,
            segment=request.segment,
            step=progress.step,
            parent_step=parent.step if parent else None,
            parent_digest=parent.digest if parent else None,
            created_at=saved_at,
            generation=request.generation,
            attempt=request.attempt,
            config_hash=request.config_hash,
            code_version=request.code_version,
            specs_commit=request.specs_commit,
            locked=locked_values(request.config),
            optimizer=request.config.training.optimizer,
            healthy=True,  # a loss that is not finite, or jumps too often, ends the run before it can save
            quest_id=progress.quest_id,
            cursor=progress.cursor,
            learnt=progress.learnt,
            measures=measures(progress),
            files=files,
            skills=examined(progress),
            recipe=progress.recipe,
            adapter_base=adapter_base,
            skipped=progress.skipped,
            digest="",
        )
    )
