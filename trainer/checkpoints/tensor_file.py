"""A file of tensors as the safetensors library writes it, byte for byte, without a second copy in memory.

The library copies every tensor before it writes, holding the interpreter's lock all the while: training would
stand still. Format: https://huggingface.co/docs/safetensors, section Format; its order of tensors is by size
of an element, then by name.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from trainer.checkpoints.errors import CheckpointError

_TYPES = (
    (torch.bool, "BOOL"),
    (torch.uint8, "U8"),
    (torch.int8, "I8"),
    (torch.float8_e5m2, "F8_E5M2"),
    (torch.float8_e4m3fn, "F8_E4M3"),
    (torch.int16, "I16"),
    (torch.float16, "F16"),
    (torch.bfloat16, "BF16"),
    (torch.int32, "I32"),
    (torch.float32, "F32"),
    (torch.float64, "F64"),
    (torch.int64, "I64"),
)
"""In the library's order; it writes the last of these first."""
_NAMES = dict(_TYPES)
_RANK = {dtype: rank for rank, (dtype, _) in enumerate(_TYPES)}
_ALIGNMENT = 8
_BLOCK_BYTES = 1 << 26
"""Written at once: in between, other threads get the interpreter."""


class Span(msgspec.Struct, frozen=True):
    """Where the bytes of one tensor lie, counted from the end of the header."""

    name: str
    start: int
    stop: int
    dtype: torch.dtype
    shape: tuple[int, ...]


class TensorLayout(msgspec.Struct, frozen=True):
    """Where everything lies in a file."""

    header: bytes
    spans: tuple[Span, ...]
    """In the order of the file, without gaps."""
    size_bytes: int
    """Of all tensors, the header apart."""


def layout_of(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> TensorLayout:
    """Return how a file with these tensors is laid out.

    Raises:
        CheckpointError: a tensor has a type that the format has no name for.
    """
    spans, place = [], 0
    for name in sorted(tensors, key=lambda name: (-_rank(name, tensors[name].dtype), name)):
        tensor = tensors[name]
        stop = place + tensor.numel() * tensor.element_size()
        spans.append(Span(name, place, stop, tensor.dtype, tuple(tensor.shape)))
        place = stop
    return TensorLayout(_header(spans, metadata), tuple(spans), place)


def write_tensors(path: Path, layout: TensorLayout, contents: Iterable[Tensor]) -> None:
    """Write a new file from CPU tensors of bytes that follow each other.

    Raises:
        OSError: the disk is full or failing.
    """
    with path.open("xb", buffering=0) as file:
        _write_all(file.write, memoryview(layout.header))
        for content in contents:
            _write_all(file.write, memoryview(content.numpy()))


def bytes_of(tensor: Tensor) -> Tensor:
    """Return the tensor's content as bytes on the CPU; shared with the tensor where it lies there already."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)


def _write_all(write: Callable[[memoryview], int | None], content: memoryview) -> None:
    """Write everything: one call of the system may take less than it is given."""
    done = 0
    while done < len(content):
        done += write(content[done : done + _BLOCK_BYTES]) or 0


def _rank(name: str, dtype: torch.dtype) -> int:
    if dtype not in _RANK:
        raise CheckpointError(f"{name}: a tensor of {dtype} cannot be written to safetensors")
    return _RANK[dtype]


def _header(spans: Iterable[Span], metadata: Mapping[str, str] | None) -> bytes:
    fields: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    for span in spans:
        place = [span.start, span.stop]
        fields[span.name] = {"dtype": _NAMES[span.dtype], "shape": list(span.shape), "data_offsets": place}
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text
