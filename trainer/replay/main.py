"""`python -m trainer replay --request FILE`: lap by lap to the checkpoint that was asked for."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import torch

from state.atomic import ensure_folder, freeze, write_json
from state.contract.files import ContractError, read
from state.contract.manifest import MANIFEST_NAME
from state.contract.quest_rows import QuestFileError
from state.contract.recipe import Recipe
from state.contract.replay import ANSWER_NAME, Lap, ReplayAnswer, ReplayRequest
from state.contract.request import RunRequest
from state.ids import checkpoint_folder
from state.layout import RunLayout
from trainer.checkpoints.errors import CheckpointError
from trainer.checkpoints.load import read_manifest
from trainer.data.rendering import RowError
from trainer.engine.claim import LockBusyError, held_lock
from trainer.engine.failures import TrainingError
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.quests import PACKING_SWITCH
from trainer.engine.setup import open_session
from trainer.replay.compare import as_recorded, differences
from trainer.replay.play import CannotReplay, play

EXIT_CODES = {"same": 0, "differs": 1, "cannot": 2}
EXIT_USAGE = 64
_REASONS = (
    CannotReplay,
    TrainingError,
    CheckpointError,
    ContractError,
    QuestFileError,
    RowError,
    LockBusyError,
)


def main(request_file: Path) -> int:
    """Write the answer into the request's folder; return the exit code."""
    try:
        request = read(request_file, ReplayRequest)
    except (FileNotFoundError, ContractError) as error:
        sys.stderr.write(f"{request_file}: {error}\n")
        return EXIT_USAGE
    answer = replay(request)
    write_json(Path(request.folder) / ANSWER_NAME, answer)
    return EXIT_CODES[answer.verdict]


def replay(request: ReplayRequest) -> ReplayAnswer:
    """Make each lap's checkpoint again; stop at the first that differs or cannot be made."""
    answer = ReplayAnswer(verdict="cannot", step=0, why="nothing was asked for")
    notes: list[str] = []
    try:
        with held_lock(Path(request.trainer_lock)):
            for lap in request.laps:
                answer = _lap(lap, request)
                notes += [note for note in answer.notes if note not in notes]
                if answer.verdict != "same":
                    break
    except LockBusyError as error:
        answer = msgspec.structs.replace(answer, why=str(error))
    return msgspec.structs.replace(answer, notes=tuple(notes))


def _lap(lap: Lap, request: ReplayRequest) -> ReplayAnswer:
    step, recipe = lap.manifest.step, lap.manifest.recipe
    if recipe is None:
        why = "it was saved by an older version, which did not record how"
        return ReplayAnswer(verdict="cannot", step=step, why=why)
    try:
        return _made(lap, recipe, request)
    except _REASONS as error:
        return ReplayAnswer(verdict="cannot", step=step, why=str(error))


def _made(lap: Lap, recipe: Recipe, request: ReplayRequest) -> ReplayAnswer:
    scratch = RunLayout(Path(request.folder) / f"lap-{lap.manifest.step}")
    ensure_folder(scratch.folder)
    os.environ[PACKING_SWITCH] = "1" if recipe.is_packed else "0"
    session = open_session(_as_it_was(lap.request, recipe), scratch, Heartbeat(scratch.status))
    play(session, lap.manifest, recipe, request.data)
    folder = Path(lap.request.checkpoints_dir) / checkpoint_folder(lap.manifest.step)
    made = as_recorded(read_manifest(folder), lap.manifest)
    (folder / MANIFEST_NAME).unlink()
    write_json(folder / MANIFEST_NAME, made)
    freeze(folder)
    is_same = made.digest == lap.manifest.digest
    return ReplayAnswer(
        verdict="same" if is_same else "differs",
        step=lap.manifest.step,
        digest=made.digest,
        differences=differences(made, folder, lap.manifest, Path(lap.original) if lap.original else None),
        notes=tuple(_notes(lap, recipe)),
    )


def _as_it_was(request: RunRequest, recipe: Recipe) -> RunRequest:
    """Return the request with what its run chose by itself."""
    training = msgspec.structs.replace(request.config.training, precision=recipe.precision)
    config = msgspec.structs.replace(request.config, training=training)
    return msgspec.structs.replace(request, config=config, threads=recipe.threads)


def _notes(lap: Lap, recipe: Recipe) -> Iterator[str]:
    """Yield what is not as it was; the number of threads is: a replay takes as many as there were."""
    here = str(torch.__version__)
    if here != recipe.torch_version:
        yield f"made with torch {recipe.torch_version}, made again with {here}"
    if lap.request.device != recipe.device:
        yield f"made on {recipe.device_name or recipe.device}, made again on {lap.request.device}"
