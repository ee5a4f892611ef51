"""The frozen weights below adapters: found where they lie, and recognised by their digest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blake3 import blake3

from state.contract.adapters import AdapterBase
from state.contract.manifest import Manifest
from state.ids import checkpoint_folder
from trainer.checkpoints.load import read_manifest, verify_files
from trainer.engine.failures import EnvironmentFailure
from trainer.engine.model import weight_tensors

_BLOCK_BYTES = 1 << 22


def checkpoint_base(manifest: Manifest) -> AdapterBase:
    """Return what names the full weights of a checkpoint of the campaign."""
    return AdapterBase(kind="checkpoint", digest=manifest.digest, step=manifest.step)


def base_checkpoint(base: AdapterBase, adapted: Path) -> tuple[Path, bool]:
    """Return the folder of the checkpoint below adapters, verified, and whether this software saved it.

    It lies beside `adapted`, the checkpoint of adapters; or among the living ones, when a later segment of
    the campaign left that one where it is (`segments/<n>/checkpoint-<step>`).

    Raises:
        EnvironmentFailure: another checkpoint lies there.
        CheckpointError: it is not there whole.
    """
    name = checkpoint_folder(base.step or 0)
    folder, living = adapted.parent / name, adapted.parents[2] / "checkpoints" / name
    if not folder.exists() and living.exists():
        folder = living
    manifest = read_manifest(folder)
    check_base(base, manifest.digest, str(folder))
    verify_files(folder, manifest)
    return folder, manifest.imported is None or manifest.imported.is_ours


def check_base(base: AdapterBase, found: str, where: str) -> None:
    """Refuse weights that are not those that adapters were trained on.

    Raises:
        EnvironmentFailure: names both digests.
    """
    if found != base.digest:
        raise EnvironmentFailure(
            f"the adapters belong to {base}; {where} has {found}. On other weights they mean nothing: bring "
            "the base back as it was, or write a new campaign"
        )


def folder_digest(folder: Path) -> str:
    """Return `blake3:` and 64 hex digits over the names and contents of a folder's weight files.

    Raises:
        OSError: one cannot be read.
    """
    hasher = blake3()
    for path in sorted(folder.glob("*.safetensors")):
        content = blake3(max_threads=blake3.AUTO)
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                content.update(block)
        hasher.update(f"{path.name}\0{content.hexdigest()}\n".encode())
    return f"blake3:{hasher.hexdigest()}"


def tensors_digest(model: Any) -> str:
    """Return `blake3:` and 64 hex digits over the names, types, shapes and values of a model's weights."""
    hasher = blake3(max_threads=blake3.AUTO)
    for line in _described(model):
        hasher.update(line)
    return f"blake3:{hasher.hexdigest()}"


def _described(model: Any) -> Iterator[bytes]:
    for name, tensor in sorted(weight_tensors(model).items()):
        yield f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\n".encode()
        yield tensor.detach().cpu().contiguous().numpy().tobytes()
