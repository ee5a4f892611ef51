"""Whether a hero's pretrained weights are on this machine, and what they say about themselves. No network."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reconciler.observed.fact_cache import FactCache, content_key
from reconciler.observed.folders import signature
from reconciler.observed.model_files import ModelFileProblem, read_config, read_file, read_weights
from reconciler.observed.model_records import ModelFacts, PretrainedConfig, WeightFile
from state.contract.chat import NoTemplateError, model_template, template_digest
from state.contract.tokenizer_files import TOKENIZER_FILES, NoTokenizerError, tokenizer_files_digest

_HUB_PART = r"[A-Za-z0-9](?:[A-Za-z0-9_]|[-.](?![-.]))*"
_HUB_ID = f"{_HUB_PART}(?:/{_HUB_PART})?"
_REVISION = "[0-9a-f]{40}"
_MAX_TOKENIZER_BYTES = 256 * 1024 * 1024
_MAX_POINTER_BYTES = 1024


class _Place(NamedTuple):
    folder: Path
    revision: str | None = None


class _NotHere(Exception):
    """No usable place has the model; says why."""


def hub_cache_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Return where the hub's client keeps models: HF_HUB_CACHE, or below HF_HOME, XDG_CACHE_HOME, home."""
    if given := environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE"):
        return Path(given)
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    return Path(environment.get("HF_HOME") or cache / "huggingface") / "hub"


def observe_model(
    name: str,
    models_folders: Sequence[Path],
    root: Path,
    hub_cache: Path,
    cache: FactCache | None = None,
) -> ModelFacts:
    """Return the facts of the model that a hero names; `missing` says what keeps it from being used.

    An absolute path is taken as it is; a relative one is looked up in the host's models folders, then
    below the root; then it is an id in the hub's local cache.
    """
    looked_at: list[str] = []
    try:
        place = _find(name, models_folders, root, hub_cache, looked_at)
    except _NotHere as why:
        return ModelFacts(name=name, looked_at=tuple(looked_at), missing=(str(why),))
    return _describe(name, place, tuple(looked_at), cache)


def _find(
    name: str, models_folders: Sequence[Path], root: Path, hub_cache: Path, looked_at: list[str]
) -> _Place:
    if not name.isprintable() or not name.strip() or os.pardir in name.split("/"):
        raise _NotHere(f"model {name!r} is neither a path without .. nor the id of a model on the hub")
    bases = [*models_folders, root]
    for path in [Path(name)] if Path(name).is_absolute() else [base / name for base in bases]:
        looked_at.append(str(path))
        if os.path.lexists(path):
            return _Place(_folder(path, root))
    if re.fullmatch(_HUB_ID, name):
        place = _in_hub_cache(name, hub_cache, looked_at)
        if place is not None:
            return place
    raise _NotHere(_nowhere(name, looked_at))


def _folder(path: Path, root: Path) -> Path:
    """Return the real folder; a link below the root must not leave it."""
    real = Path(os.path.realpath(path))
    if path.is_relative_to(root) and not real.is_relative_to(os.path.realpath(root)):
        raise _NotHere(
            f"{path} is a link that leaves the root; name the model by its absolute path, or put it into the "
            "host's models folder"
        )
    if not real.is_dir():
        raise _NotHere(f"{path} is not a folder with a model")
    return real


def _in_hub_cache(name: str, hub_cache: Path, looked_at: list[str]) -> _Place | None:
    """Return the snapshot that the cache's `main` points to (huggingface_hub, "Understand caching")."""
    repository = hub_cache / f"models--{name.replace('/', '--')}"
    looked_at.append(str(repository))
    if not repository.is_dir():
        return None
    main = repository / "refs" / "main"
    try:
        revision = read_file(main, 1024).decode("ascii", "replace").strip()
    except ModelFileProblem as problem:
        raise _NotHere(f"{name} is in the hub's cache without its main revision: {problem}") from problem
    if not re.fullmatch(_REVISION, revision):
        raise _NotHere(f"{main} holds {revision[:60]!r}; expected a commit of 40 hex digits")
    snapshot = repository / "snapshots" / revision
    if not snapshot.is_dir():
        raise _NotHere(f"there is no {snapshot}: the download of {name} was not finished")
    return _Place(snapshot, revision)


def _nowhere(name: str, looked_at: Sequence[str]) -> str:
    advice = "put the model's files there" if Path(name).is_absolute() else "put its files into one of them"
    is_hub_id = re.fullmatch(_HUB_ID, name) and not name.startswith("models/")
    download = f", or download it: hf download {name}" if is_hub_id else ""
    return f"model {name} is not on this machine; looked at {', '.join(looked_at)}; {advice}{download}"


def _describe(name: str, place: _Place, looked_at: tuple[str, ...], cache: FactCache | None) -> ModelFacts:
    missing: list[str] = []
    config = _config(place.folder, missing)
    weights = _weights(place.folder, missing)
    tokenizer, tokenizer_problem = _tokenizer(place.folder, cache)
    template, template_problem = _template(place.folder)
    return ModelFacts(
        name=name,
        folder=str(place.folder),
        revision=place.revision,
        config=config,
        weights=weights,
        tokenizer_digest=tokenizer,
        tokenizer_problem=tokenizer_problem,
        chat_template_digest=template,
        chat_template_problem=template_problem,
        looked_at=looked_at,
        missing=tuple(missing),
    )


def _config(folder: Path, missing: list[str]) -> PretrainedConfig | None:
    try:
        return read_config(folder)
    except ModelFileProblem as problem:
        missing.append(str(problem))
        return None


def _weights(folder: Path, missing: list[str]) -> tuple[WeightFile, ...]:
    try:
        return read_weights(folder)
    except ModelFileProblem as problem:
        missing.append(str(problem))
    except OSError as error:
        missing.append(f"{folder} cannot be read: {error.strerror}")
    return ()


def _tokenizer(folder: Path, cache: FactCache | None) -> tuple[str | None, str | None]:
    """Return the tokenizer's digest, or why there is none."""
    try:
        key = _tokenizer_key(folder)
        remembered = cache.get(key) if cache is not None else None
        digest = remembered.decode() if remembered else tokenizer_files_digest(folder)
    except (NoTokenizerError, ModelFileProblem) as problem:
        return None, str(problem)
    except OSError as error:
        return None, f"{error.filename or folder} cannot be read: {error.strerror}"
    if cache is not None and not remembered:
        cache.put(key, digest.encode())
    return digest, None


def _tokenizer_key(folder: Path) -> str:
    """Return what changes with any of the tokenizer's files."""
    states = []
    for name in TOKENIZER_FILES:
        if not (folder / name).is_file():
            continue
        status = (folder / name).stat()
        if status.st_size > _MAX_TOKENIZER_BYTES:
            raise ModelFileProblem(f"{folder / name} has {status.st_size:,} bytes; no tokenizer is so large")
        if status.st_size <= _MAX_POINTER_BYTES:
            read_file(folder / name, _MAX_POINTER_BYTES)  # refuses a pointer to the file
        states.append(f"{name} {signature(status)}")
    return content_key("tokenizer-1", str(folder), signature(folder.stat()), *states)


def _template(folder: Path) -> tuple[str | None, str | None]:
    """Return the digest of the model's own chat template, or why there is none."""
    try:
        return template_digest(model_template(folder)), None
    except NoTemplateError as problem:
        return None, str(problem)
    except (OSError, ValueError, RecursionError) as error:
        return None, f"{folder}: the chat template cannot be read: {error}"
