"""Read what a folder without a manifest says of itself: headers, indexes, lengths. Nothing is unpickled.

PyTorch's own files are zip archives, whose directory stands at the end: one that has no end is torn. DCP's
`.metadata` is a pickle; its instructions are read as text (`pickletools`), never executed, for the names and
lengths of the files that it speaks of.
"""

import os
import stat
from collections.abc import Iterator
from typing import Any

import msgspec

from reconciler.observed.folders import Folder, UnsafeFile, is_lfs_pointer, printable, reason
from reconciler.observed.producers import (
    CONFIG,
    DCP_METADATA,
    DCP_SUFFIX,
    INDEX_SUFFIX,
    STATE,
    TENSORS_SUFFIX,
    ReadFile,
    ReadFolder,
)

MAX_ENTRIES = 4096
"""A checkpoint has some dozens; beyond this it is none that is understood."""
_MAX_JSON_BYTES = 64 * 1024 * 1024
_MAX_HEADER_BYTES = 100_000_000
"""safetensors' own limit."""
_LENGTH_BYTES = 8
_ARCHIVES = (".pt", ".pth", ".bin")
_ARCHIVE_END, _ARCHIVE_END_BYTES = b"PK\x05\x06", 22
SIZES = (
    *("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "head_dim"),
)
"""Fields of a config.json that make another model when they differ."""
READ_OF_CONFIG = ("architectures", "vocab_size", *SIZES)
_READ_OF_STATE = ("global_step", "step", "locked", "epoch", "log_history")


def read_folder(folder: Folder) -> ReadFolder | None:
    """Return what lies in an open folder; None where there is far too much for a checkpoint."""
    names = folder.names()
    if len(names) > MAX_ENTRIES:
        return None
    files: dict[str, ReadFile] = {}
    folders = []
    for name in names:
        status = folder.status(name)
        if stat.S_ISDIR(status.st_mode):
            folders.append(printable(name))
        else:
            files[printable(name)] = _read(folder, name, status)
    return ReadFolder(files=files, folders=tuple(folders))


def _read(folder: Folder, name: str, status: os.stat_result) -> ReadFile:
    try:
        with folder.open_file(name) as descriptor:
            return _content(descriptor, name, status.st_size)
    except (OSError, UnsafeFile) as error:
        return ReadFile(size_bytes=status.st_size, problem=reason(error))


def _content(descriptor: int, name: str, size: int) -> ReadFile:
    """Return what a file says of itself.

    Raises:
        UnsafeFile: it is not whole, or not what its name says.
    """
    if size == 0:
        raise UnsafeFile("is empty")
    if is_lfs_pointer(os.pread(descriptor, 1024, 0)) and size <= 1024:  # noqa: PLR2004 - no pointer is longer
        raise UnsafeFile("is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`")
    if name.endswith(TENSORS_SUFFIX):
        return ReadFile(size_bytes=size, tensors=frozenset(_tensors(descriptor, size)))
    if name.endswith(_ARCHIVES):
        _check_archive(descriptor, size)
    if name in (STATE, CONFIG) or name.endswith(INDEX_SUFFIX):
        wanted = {STATE: _READ_OF_STATE, CONFIG: READ_OF_CONFIG}.get(name, ("weight_map",))
        found = _json(descriptor, size)
        return ReadFile(size_bytes=size, values={key: found[key] for key in wanted if key in found})
    if name.endswith(".json"):
        _json(descriptor, size)
    if name == DCP_METADATA:
        return ReadFile(size_bytes=size, parts=_parts(os.pread(descriptor, _MAX_JSON_BYTES, 0)))
    return ReadFile(size_bytes=size)


def _tensors(descriptor: int, size: int) -> Iterator[str]:
    """Yield the names of the tensors in a safetensors file whose length is what its header says."""
    length = int.from_bytes(os.pread(descriptor, _LENGTH_BYTES, 0), "little")
    if size < _LENGTH_BYTES or not 0 < length <= min(_MAX_HEADER_BYTES, size - _LENGTH_BYTES):
        raise UnsafeFile(f"has {size:,} bytes, fewer than its header: a torn copy, or no safetensors file")
    try:
        header = msgspec.json.decode(os.pread(descriptor, length, _LENGTH_BYTES), type=dict[str, Any])
        ends = {key: int(one["data_offsets"][1]) for key, one in header.items() if key != "__metadata__"}
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
        KeyError,
        TypeError,
        IndexError,
    ) as error:
        raise UnsafeFile(
            "has no safetensors header that can be understood: torn, or another format"
        ) from error
    whole = _LENGTH_BYTES + length + max(ends.values(), default=0)
    if size != whole:
        raise UnsafeFile(f"has {size:,} bytes, its header says {whole:,}: a torn copy, or changed")
    yield from ends


def _check_archive(descriptor: int, size: int) -> None:
    """Refuse a file of torch.save whose end is not there."""
    start = os.pread(descriptor, 2, 0)
    if start[:1] == b"\x80":
        raise UnsafeFile("is in the older format of torch.save, which does not say whether it is whole")
    end = os.pread(descriptor, _ARCHIVE_END_BYTES, max(0, size - _ARCHIVE_END_BYTES))
    if start != b"PK" or not end.startswith(_ARCHIVE_END):
        raise UnsafeFile("has no end of a torch.save archive: a torn copy")


def _json(descriptor: int, size: int) -> dict[str, Any]:
    """Return a JSON object; NaN and Infinity, which training libraries write, are numbers."""
    import json  # only for folders that are not ours

    if size > _MAX_JSON_BYTES:
        raise UnsafeFile(f"is larger than {_MAX_JSON_BYTES:,} bytes")
    try:
        found = json.loads(os.pread(descriptor, size, 0))
    except (ValueError, RecursionError) as error:
        raise UnsafeFile("is no JSON that can be understood: torn, or another format") from error
    if not isinstance(found, dict):
        raise UnsafeFile("is no JSON object")
    return found


def _parts(content: bytes) -> dict[str, int]:
    """Return the files that DCP's metadata names, each with the length that it needs.

    `_StorageInfo` (torch.distributed.checkpoint.filesystem) is written as relative_path, offset, length.
    """
    import pickletools  # only for folders that are not ours

    values = []
    try:
        for operation, argument, _ in pickletools.genops(content):
            values.append((operation.name, argument))
    except Exception as error:  # whatever the bytes make genops raise
        raise UnsafeFile("is no pickle that can be understood: torn, or another format") from error
    return _lengths(list(_atoms(values)))


def _atoms(operations: list[tuple[str, Any]]) -> Iterator[Any]:
    """Yield the texts and whole numbers of a pickle in their order, those it refers back to again."""
    memo: dict[int, Any] = {}
    last: Any = None
    for name, argument in operations:
        if name == "MEMOIZE":
            memo[len(memo)] = last
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[int(argument)] = last
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            last = memo.get(int(argument))
            yield last
        else:
            last = argument if "UNICODE" in name or "INT" in name or "LONG" in name else None
            if last is not None:
                yield last


def _lengths(atoms: list[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, atom in enumerate(atoms[:-1]):
        if atom != "relative_path" or not isinstance(atoms[place + 1], str):
            continue
        name = atoms[place + 1]
        after = atoms[place + 2 : place + 6]
        is_told = len(after) == 4 and after[0::2] == ["offset", "length"]  # noqa: PLR2004 - two pairs
        end = after[1] + after[3] if is_told and all(isinstance(one, int) for one in after[1::2]) else 0
        if name.endswith(DCP_SUFFIX):
            found[name] = max(found.get(name, 0), end)
    return found
