"""What was made again against what was recorded: by digest, else file by file and tensor by tensor."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import torch
from safetensors import safe_open

from state.contract.manifest import FileEntry, Manifest, with_digest
from state.contract.replay import FileDifference

_SHOWN = 12
"""Digits of a digest."""


def as_recorded(made: Manifest, recorded: Manifest) -> Manifest:
    """Return the recorded manifest with the files and the position that came out, and its digest of these."""
    return with_digest(msgspec.structs.replace(recorded, files=made.files, cursor=made.cursor))


def differences(
    made: Manifest, folder: Path, recorded: Manifest, original: Path | None
) -> tuple[FileDifference, ...]:
    """Return every file that is not as it was recorded; then, if none is, that the position differs.

    `original`: the folder of the recorded checkpoint; without it only digests can be compared.
    """
    found = tuple(_of_files(made, folder, recorded, original))
    if found or made.digest == recorded.digest:
        return found
    return (FileDifference(path="manifest.json", found="the quests' cursor is another one"),)


def _of_files(
    made: Manifest, folder: Path, recorded: Manifest, original: Path | None
) -> Iterator[FileDifference]:
    before = {entry.path: entry for entry in recorded.files}
    after = {entry.path: entry for entry in made.files}
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old is None or new is None:
            text = "was not there at the first time" if old is None else "did not come out"
            yield FileDifference(path=path, found=text)
        elif old != new:
            yield FileDifference(path=path, found=_found(path, folder, original, old, new))


def _found(path: str, folder: Path, original: Path | None, old: FileEntry, new: FileEntry) -> str:
    if original is not None and path.endswith(".safetensors"):
        return _of_tensors(folder / path, original / path)
    return f"{_shown(new)}, recorded {_shown(old)}"


def _shown(entry: FileEntry) -> str:
    return f"BLAKE3 {entry.blake3[:_SHOWN]}… ({entry.size_bytes:,} B)"


def _of_tensors(made: Path, recorded: Path) -> str:
    """Return the first tensor that differs, by how much, and how many do."""
    with safe_open(made, framework="pt") as new, safe_open(recorded, framework="pt") as old:
        names = sorted(set(new.keys()) | set(old.keys()))
        both = set(new.keys()) & set(old.keys())
        unlike = [
            name
            for name in names
            if name not in both or not torch.equal(new.get_tensor(name), old.get_tensor(name))
        ]
        if not unlike:
            return "its tensors are the same, its header is not"
        first = unlike[0]
        how = (
            _apart(new.get_tensor(first), old.get_tensor(first))
            if first in both
            else "is in one of them only"
        )
    return f"{len(unlike)} of {len(names)} tensors differ; the first, {first}, {how}"


def _apart(new: torch.Tensor, old: torch.Tensor) -> str:
    if new.shape != old.shape or new.dtype != old.dtype:
        return f"is {tuple(new.shape)} {new.dtype}, recorded {tuple(old.shape)} {old.dtype}"
    return f"by at most {float((new.double() - old.double()).abs().max()):.3g}"
