"""A folder anywhere on this machine that a campaign is to begin with: which checkpoint, and what of it."""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from reconciler.observed.checkpoints import checkpoint_of_any_name
from reconciler.observed.folders import Folder, UnsafeFile, open_folder, printable, reason
from reconciler.observed.foreign import look_into
from reconciler.observed.model_files import GGUF
from reconciler.observed.producer_files import SIZES, read_folder
from reconciler.observed.producers import CONFIG, SAYS, STATE, Judgement, ReadFolder, judge
from reconciler.observed.records import FoundCheckpoint
from reconciler.observed.start_records import SaidModel, StartFolder
from state.contract.manifest import MANIFEST_NAME, SIDECAR_NAME, Manifest
from state.ids import checkpoint_folder, checkpoint_step

_UNUSED = (
    r"optimizer.*|scheduler\.pt|scaler\.pt|rng_state.*\.pth|training_args\.bin|pytorch_model.*|.*\.py|\..*"
)
"""What nobody here uses: another trainer's state, pickles, code, hidden files."""
_OF_GGUF = "a GGUF file, made for answering: training does not begin with it"
_NO_GGUF = "name the folder of safetensors weights that it was made of"
_MAX_CONFIG_BYTES = 16 * 1024 * 1024
_NOT_LOADED: Mapping[str, tuple[str, str]] = {
    "adapter": (
        "holds an adapter and no whole weights",
        "merge it into its base model first (peft: merge_and_unload, save_pretrained)",
    ),
    "pickle": (
        "has its weights as pickles, which are never loaded here",
        "save it again as safetensors (save_pretrained with safe_serialization=True)",
    ),
    "distributed": (
        "has its weights in the shards of a distributed run",
        "make one model of them: python -m torch.distributed.checkpoint.format_utils dcp_to_torch, "
        "load that state into the model, save_pretrained",
    ),
}


def observe_start_folder(path: str) -> StartFolder:
    """Return what a campaign would begin with that begins with this folder.

    A folder without weights of its own is a run: of its checkpoints the newest whole one is taken.
    """
    given = Path(path)
    if path.endswith(GGUF) and given.is_file():
        return StartFolder(path=path, problem=f"is {_OF_GGUF}", hint=_NO_GGUF)
    try:
        with open_folder(given, given) as folder:
            names = folder.names()
            is_itself = MANIFEST_NAME in names or look_into(folder) is not None
        if is_itself:
            return _start(path, given)
        found = _newest(path, [*_checkpoints(given, names), *_checkpoints(given / "checkpoints")])
        return _without_weights(found, names)
    except (OSError, UnsafeFile) as error:
        return StartFolder(path=path, problem=reason(error), hint="name a folder that can be read")


def _without_weights(found: StartFolder, names: list[str]) -> StartFolder:
    """Say of a folder with nothing to begin with that it holds weights of another kind, if it does."""
    other = next((printable(name) for name in sorted(names) if name.endswith(GGUF)), None)
    if found.problem is None or found.passed_over or other is None:
        return found
    return msgspec.structs.replace(found, problem=f"{other} in it is {_OF_GGUF}", hint=_NO_GGUF)


def observe_checkpoint(folder: Path) -> StartFolder:
    """Return what could be gone on with in the folder of one checkpoint."""
    try:
        return _start(str(folder), folder)
    except (OSError, UnsafeFile) as error:
        return StartFolder(path=str(folder), problem=reason(error))


def _checkpoints(run: Path, names: list[str] | None = None) -> list[tuple[int, Path]]:
    try:
        with open_folder(run, run) as folder:
            names = folder.names() if names is None else names
    except (OSError, UnsafeFile):
        return []
    return [(step, run / name) for name in names if (step := checkpoint_step(name)) is not None]


def _newest(path: str, checkpoints: list[tuple[int, Path]]) -> StartFolder:
    passed_over: list[str] = []
    hints: list[str] = []
    for _, folder in sorted(checkpoints, reverse=True):
        found = _start(path, folder)
        if found.problem is None:
            return msgspec.structs.replace(found, passed_over=tuple(passed_over))
        passed_over.append(f"{folder.name}: {found.problem}")
        hints.append(found.hint)
    if passed_over:
        problem = f"no checkpoint in it can be begun with ({passed_over[0]})"
        return StartFolder(path=path, problem=problem, hint=hints[0] or "name another")
    expected = "a folder with weights, or with checkpoint-<step> folders"
    return StartFolder(path=path, problem=f"there is no checkpoint in it; expected {expected}")


def _start(path: str, folder: Path) -> StartFolder:
    if (folder / MANIFEST_NAME).is_file():
        return _of_ours(path, folder)
    with open_folder(folder, folder) as opened:
        content = read_folder(opened)
        step = checkpoint_step(folder.name)
        judgement = judge(content, step) if content is not None else None
        if content is None or judgement is None:
            return StartFolder(path=path, problem="is no checkpoint that is known here")
        if judgement.weights in _NOT_LOADED:
            problem, hint = _NOT_LOADED[judgement.weights]
            says = f"{SAYS[judgement.producer]} that {problem}"
            return StartFolder(path=path, problem=says, hint=hint)
        if not judgement.is_whole:
            says = f"{SAYS[judgement.producer]} that is not whole: {judgement.problems[0]}"
            return StartFolder(path=path, problem=says, hint="copy it again, whole")
        return _of_others(path, folder, opened, content, judgement, step)


def _of_ours(path: str, folder: Path) -> StartFolder:
    found = checkpoint_of_any_name(folder)
    if not isinstance(found, FoundCheckpoint):
        hint = "or name another checkpoint" if found.is_newer else "copy it again, whole"
        return StartFolder(path=path, problem=found.reason, hint=hint)
    manifest = found.manifest
    if not manifest.healthy:
        return StartFolder(path=path, problem="a loss before it was not finite", hint="name one before that")
    files = tuple(entry.path for entry in manifest.files)
    return StartFolder(
        path=path, folder=str(folder), producer="realm", step=found.step, files=files, manifest=manifest,
        size_bytes=sum(entry.size_bytes for entry in manifest.files), saved_at=manifest.created_at,
        below=_below(folder, manifest),
    )  # fmt: skip


def _below(folder: Path, manifest: Manifest) -> str | None:
    """Return the folder with the checkpoint that adapters belong to, where it lies as an export has it.

    That is beside them, or among the living ones where they are of a segment (`segments/<n>/`).
    """
    base = manifest.adapter_base
    if base is None or base.kind != "checkpoint" or base.step is None:
        return None
    for place in (parent / checkpoint_folder(base.step) for parent in folder.absolute().parents[:3:2]):
        found = checkpoint_of_any_name(place) if place.is_dir() else None
        if isinstance(found, FoundCheckpoint) and found.digest == base.digest:
            return str(place)
    return None


def _of_others(
    path: str, folder: Path, opened: Folder, content: ReadFolder, judgement: Judgement, step: int | None
) -> StartFolder:
    history = _last(content)
    if history is None:
        return StartFolder(path=path, problem="its last loss is not finite", hint="name one before that")
    unused = [name for name in content.files if re.fullmatch(_UNUSED, name) and name != SIDECAR_NAME]
    left = {*unused, SIDECAR_NAME}
    files = tuple(sorted(name for name in content.files if name not in left))
    return StartFolder(
        path=path,
        folder=str(folder),
        producer=judgement.producer,
        step=judgement.step if judgement.step is not None else step or 0,
        files=files,
        unused=(*sorted(unused), *(f"{name}/" for name in content.folders)),
        size_bytes=sum(content.files[name].size_bytes for name in files),
        model=_said_model(opened, content),
        saved_at=_written_at(opened, files),
        train_loss=history.get("train_loss"),
        val_loss=history.get("val_loss"),
        learning_rate=history.get("learning_rate"),
    )


def _said_model(opened: Folder, content: ReadFolder) -> SaidModel:
    """Return what config.json says; a name that is none, or a number that is none, is not said."""
    values = content.files[CONFIG].values
    names = values.get("architectures")
    is_named = isinstance(names, list) and len(names) == 1 and isinstance(names[0], str)
    vocab_size = values.get("vocab_size")
    return SaidModel(
        digest="sha256:" + hashlib.sha256(opened.read(CONFIG, _MAX_CONFIG_BYTES)).hexdigest(),
        architecture=names[0] if is_named and isinstance(names, list) else None,
        vocab_size=vocab_size if isinstance(vocab_size, int) and vocab_size >= 0 else None,
        sizes={key: values[key] for key in SIZES if isinstance(values.get(key), int)},
    )


def _last(content: ReadFolder) -> dict[str, float] | None:
    """Return the last losses and rate of a trainer's own history; None: its last loss is not finite."""
    state = content.files.get(STATE)
    found: dict[str, float] = {}
    names = {"loss": "train_loss", "eval_loss": "val_loss", "learning_rate": "learning_rate"}
    for line in _history(state.values if state is not None else {}):
        for key, name in names.items():
            if isinstance(line.get(key), int | float):
                found[name] = float(line[key])
    if not math.isfinite(found.get("train_loss", 0.0)):
        return None
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _history(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    lines = values.get("log_history")
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, dict):
            yield line


def _written_at(opened: Folder, files: tuple[str, ...]) -> str:
    newest = max(opened.status(name).st_mtime for name in files)
    return datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
