"""Publish a checkpoint: written under a staging name, read back and hashed, frozen, then renamed.

A reader sees the whole folder or none. The manifest is written last; the same step is never saved twice.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from state.atomic import ensure_folder, freeze, make_staging, publish_folder, sync_file, write_json
from state.contract.manifest import MANIFEST_NAME, FileEntry, Manifest
from state.failpoints import reach
from state.ids import checkpoint_folder
from state.layout import STAGING_PREFIX
from trainer.checkpoints.errors import CheckpointError, NameTakenError
from trainer.checkpoints.load import file_entry, read_manifest, verify_files

WriteFile = Callable[[Path], None]
"""Writes one file, or several, into the folder it is given."""


def publish_checkpoint(
    folder: Path,
    step: int,
    writers: Sequence[WriteFile],
    make_manifest: Callable[[tuple[FileEntry, ...]], Manifest],
) -> Manifest:
    """Write, verify and publish `checkpoint-<step>`; return its manifest.

    On any failure the unfinished folder is removed and what was there before is as it was.

    Raises:
        NameTakenError: something has the checkpoint's name.
        CheckpointError: what was read back is not what was written.
        OSError: the disk is full or failing.
    """
    final = folder / checkpoint_folder(step)
    if os.path.lexists(final):
        raise _taken(final)
    ensure_folder(folder)
    staging = folder / f"{STAGING_PREFIX}{step}-{uuid4().hex[:12]}"
    make_staging(staging)
    try:
        manifest = _fill(staging, writers, make_manifest)
        freeze(staging)
        publish_folder(staging, final)
    except FileExistsError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise _taken(final) from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return manifest


def _taken(final: Path) -> NameTakenError:
    return NameTakenError(
        f"{final} is in the way: something lies there already and was left untouched; "
        "move it away, then training goes on from the newest checkpoint"
    )


def _fill(
    staging: Path,
    writers: Sequence[WriteFile],
    make_manifest: Callable[[tuple[FileEntry, ...]], Manifest],
) -> Manifest:
    for write in writers:
        reach("checkpoint.write")
        write(staging)
    files = sorted(staging.iterdir())
    manifest = make_manifest(tuple(file_entry(staging, path.name) for path in files))
    for path in files:
        sync_file(path)
        _forget_cached(path)
    reach("checkpoint.manifest")
    write_json(staging / MANIFEST_NAME, manifest)
    if read_manifest(staging) != manifest:
        raise CheckpointError(f"{staging / MANIFEST_NAME}: read back differs from what was written")
    verify_files(staging, manifest)
    return manifest


def _forget_cached(path: Path) -> None:
    """Let the kernel drop its copy of a synced file, so that verifying reads what the disk has."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
