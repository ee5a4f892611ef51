"""Read a checkpoint back: every byte must be as it was written, and of this campaign."""

import os
from pathlib import Path

from blake3 import blake3

from state.contract.files import ContractError, read
from state.contract.manifest import MANIFEST_NAME, SIDECAR_NAME, FileEntry, Manifest, manifest_digest
from trainer.checkpoints.errors import CheckpointError

_LARGE_BYTES = 1 << 26
"""From here on hashing with several threads gains more than it costs."""


def read_manifest(folder: Path) -> Manifest:
    """Return the checkpoint's manifest.

    Raises:
        CheckpointError: there is none, it cannot be understood, or it was changed.
    """
    path = folder / MANIFEST_NAME
    try:
        manifest = read(path, Manifest)
    except FileNotFoundError:
        raise CheckpointError(f"{folder}: not a complete checkpoint: no {MANIFEST_NAME}") from None
    except ContractError as error:
        raise CheckpointError(str(error)) from error
    if manifest_digest(manifest) != manifest.digest:
        raise CheckpointError(f"{path}: changed since it was written (its digest does not match)")
    return manifest


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Read every file of the checkpoint and compare it with the manifest.

    Raises:
        CheckpointError: a file is missing, of another size or content, or not in the manifest.
    """
    for entry in manifest.files:
        if entry.path in ("", os.curdir, os.pardir) or os.sep in entry.path:
            raise CheckpointError(
                f"{folder}: the manifest lists {entry.path!r}, which is no file of a checkpoint"
            )
        found = file_entry(folder, entry.path)
        if found != entry:
            raise CheckpointError(f"{folder / entry.path}: damaged: {_difference(found, entry)}")
    expected = {entry.path for entry in manifest.files} | {MANIFEST_NAME, SIDECAR_NAME}
    foreign = sorted({path.name for path in folder.iterdir()} - expected)
    if foreign:
        raise CheckpointError(f"{folder / foreign[0]}: not in the manifest; move it out of the checkpoint")


def file_entry(folder: Path, name: str) -> FileEntry:
    """Return size and BLAKE3 of a file as it is on the disk now.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        with (folder / name).open("rb") as file:
            is_large = os.fstat(file.fileno()).st_size >= _LARGE_BYTES
            hasher = blake3(max_threads=blake3.AUTO if is_large else 1)
            while block := file.read(1 << 22):
                hasher.update(block)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise CheckpointError(f"{folder / name}: cannot be read: {error.strerror}") from error
    return FileEntry(path=name, size_bytes=size, blake3=hasher.hexdigest())


def _difference(found: FileEntry, expected: FileEntry) -> str:
    if found.size_bytes != expected.size_bytes:
        return f"{found.size_bytes} bytes, the manifest says {expected.size_bytes}"
    return f"BLAKE3 {found.blake3[:16]}…, the manifest says {expected.blake3[:16]}…"


def check_campaign(manifest: Manifest, campaign_uid: str, campaign: str) -> None:
    """Refuse a checkpoint of another campaign.

    Raises:
        CheckpointError: names both campaigns.
    """
    if manifest.campaign_uid != campaign_uid:
        raise CheckpointError(
            f"checkpoint-{manifest.step} is of campaign {manifest.campaign} ({manifest.campaign_uid}); "
            f"expected {campaign} ({campaign_uid})"
        )
