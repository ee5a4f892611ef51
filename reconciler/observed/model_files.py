"""What a folder of pretrained weights holds: its config, and whether its safetensors are whole.

Links inside are followed (the hub's cache is made of them); nothing is unpickled or executed, sizes are
bounded, and of the weights only the header is read.
"""

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import msgspec

from reconciler.observed.folders import is_lfs_pointer, printable
from reconciler.observed.model_records import PretrainedConfig, WeightFile
from state.contract.memory_need import Shape
from state.contract.scaled_logits import scaled_logits

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
GGUF = ".gguf"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_MAX_JSON_BYTES = 64 * 1024 * 1024
_MAX_HEADER_BYTES = 100 * 1024 * 1024
_LENGTH_BYTES = 8
_LFS = "is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`"
_SIZES = tuple(field.name for field in msgspec.structs.fields(Shape))


class ModelFileProblem(Exception):
    """Why a file of a model cannot be used, in one sentence."""


class _Tensor(msgspec.Struct, frozen=True):
    """What matters of a tensor's entry in the header of a safetensors file."""

    data_offsets: tuple[int, int] = (0, 0)


class _Index(msgspec.Struct, frozen=True):
    weight_map: dict[str, str]


def read_config(folder: Path) -> PretrainedConfig:
    """Return what the model's own config.json says.

    Raises:
        ModelFileProblem: it is missing or not what a config is.
    """
    content = read_file(folder / CONFIG, _MAX_JSON_BYTES)
    value = _object(folder / CONFIG, content)
    architectures = value.get("architectures")
    return PretrainedConfig(
        digest="sha256:" + hashlib.sha256(content).hexdigest(),
        architecture=_text(architectures[0]) if isinstance(architectures, list) and architectures else None,
        model_type=_text(value.get("model_type")),
        vocab_size=_number(value.get("vocab_size")),
        max_position_embeddings=_number(value.get("max_position_embeddings")),
        rope_scaling=_rope_scaling(value),
        scaled_logits=scaled_logits(value),
        sizes={name: value[name] for name in _SIZES if isinstance(value.get(name), int)},
    )


def read_weights(folder: Path) -> tuple[WeightFile, ...]:
    """Return the files of the weights, each of which is whole by its own header.

    Raises:
        ModelFileProblem: a file is missing, torn, a pointer, or the weights are only there as pickles.
    """
    names = sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    if WEIGHTS_INDEX in names:
        wanted = _indexed(folder / WEIGHTS_INDEX)
    elif WEIGHTS in names:
        wanted = [WEIGHTS]
    else:
        raise ModelFileProblem(_no_weights(folder, names))
    return tuple(_weight_file(folder, name) for name in wanted)


def read_file(path: Path, max_bytes: int) -> bytes:
    """Return the content of a plain file, through links.

    Raises:
        ModelFileProblem: missing, unreadable, not a plain file, too large, or a Git LFS pointer.
    """
    descriptor, size = _open(path)
    try:
        if size > max_bytes:
            raise ModelFileProblem(f"{path} has {size:,} bytes; at most {max_bytes:,} are read")
        content = _read_all(descriptor, size)
    finally:
        os.close(descriptor)
    if is_lfs_pointer(content):
        raise ModelFileProblem(f"{path} {_LFS}")
    return content


def _open(path: Path) -> tuple[int, int]:
    """Return a descriptor of a plain file and its size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        dangling = " (a link to nothing: the download was not finished)" if path.is_symlink() else ""
        raise ModelFileProblem(f"there is no {path}{dangling}") from None
    except OSError as error:
        raise ModelFileProblem(f"{path} cannot be read: {error.strerror}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ModelFileProblem(f"{path} is not a plain file")
    return descriptor, status.st_size


def _read_all(descriptor: int, size: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read(size)


def _object(path: Path, content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelFileProblem(f"{path} is not a JSON object: {error}") from error


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _rope_scaling(config: dict[str, Any]) -> dict[str, Any] | None:
    """Return how positions are rescaled; in newer configs `rope_parameters`, of which `default` is none."""
    scaling = config.get("rope_scaling")
    if isinstance(scaling, dict):
        return scaling
    parameters = config.get("rope_parameters")
    if isinstance(parameters, dict) and parameters.get("rope_type", "default") != "default":
        return parameters
    return None


def _indexed(path: Path) -> list[str]:
    """Return the names of the files that the index of a split model names."""
    content = read_file(path, _MAX_JSON_BYTES)
    try:
        names = sorted(set(msgspec.json.decode(content, type=_Index).weight_map.values()))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelFileProblem(f"{path} is not the index of a model: {error}") from error
    for name in names:
        if "/" in name or "\0" in name or not name.endswith(".safetensors"):
            raise ModelFileProblem(
                f"{path} names {printable(name)!r}, which is no safetensors file beside it"
            )
    if not names:
        raise ModelFileProblem(f"{path} names no file")
    return names


def _no_weights(folder: Path, names: list[str]) -> str:
    pickled = [printable(name) for name in names if name.endswith(PICKLED)]
    if pickled:
        return (
            f"{folder} has its weights only as pickles ({', '.join(pickled[:3])}), which are never loaded "
            f"because that runs code; convert them to {WEIGHTS}"
        )
    if others := [printable(name) for name in names if name.endswith(GGUF)]:
        return (
            f"{folder} has its weights only as GGUF ({others[0]}), made for answering and not trained "
            f"here; bring the {WEIGHTS} that it was made of"
        )
    shards = [printable(name) for name in names if name.endswith(".safetensors")]
    found = f"; {shards[0]} is there without {WEIGHTS_INDEX}" if shards else ""
    return f"there is no {folder / WEIGHTS}{found}"


def _weight_file(folder: Path, name: str) -> WeightFile:
    path = folder / name
    descriptor, size = _open(path)
    try:
        _check_header(path, descriptor, size)
    finally:
        os.close(descriptor)
    return WeightFile(name=name, size_bytes=size)


def _check_header(path: Path, descriptor: int, size: int) -> None:
    """Refuse a safetensors file that is not exactly as long as its header says (format of safetensors)."""
    start = os.read(descriptor, 1024)
    if is_lfs_pointer(start):
        raise ModelFileProblem(f"{path} {_LFS}")
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    if len(start) < _LENGTH_BYTES or length > min(_MAX_HEADER_BYTES, size - _LENGTH_BYTES):
        raise ModelFileProblem(f"{path} ({size:,} bytes) is torn or no safetensors file")
    try:
        header = msgspec.json.decode(os.pread(descriptor, length, _LENGTH_BYTES), type=dict[str, _Tensor])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelFileProblem(f"{path} is torn or no safetensors file: {error}") from error
    end = _LENGTH_BYTES + length + max((tensor.data_offsets[1] for tensor in header.values()), default=0)
    if end != size:
        raise ModelFileProblem(f"{path} has {size:,} bytes, its header says {end:,}: download it again")
