"""A missing or damaged checkpoint made whole again: each file from wherever it is right, then read back.

What is right of the damaged one, which was set aside, is used too. Nothing of any source is changed.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from reconciler.act.checkpoints import write_sidecar
from reconciler.act.derived import places_of, write_campaign_file
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.lying import find_lying, place_of
from reconciler.act.read_back import check_written, wrong_in
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.plan.actions import MendCheckpoint
from reconciler.plan.actions.base import name_of
from state.atomic import ensure_folder, freeze, make_staging, publish_folder, remove_staged, write_file
from state.contract.files import ContractError, decode
from state.contract.manifest import MANIFEST_NAME, FileEntry, Manifest, manifest_digest
from state.copies import copy_hashed
from state.ids import damaged_folder
from state.inside import open_file, read_file
from state.layout import STAGING_PREFIX
from state.store.rows import LedgerRow
from state.store.tables import put, select_one


def mend(action: MendCheckpoint, tools: Tools) -> str:
    """Make the checkpoint in its place again, and let it count.

    Raises:
        Temporary: its place is taken, or its folder cannot be read.
        Permanent: no source has what is missing.
    """
    row = _row(action, tools)
    place = place_of(places_of(tools, action.campaign_uid, action.campaign), row)
    if find_lying(tools, action.campaign_uid, action.campaign, action.digest) is None:
        if os.path.lexists(place):
            raise Temporary(f"{place} is taken by something else since it was planned; planned again")
        folders = [Path(source) for source in action.sources]
        folders.append(place.parent / damaged_folder(action.step, action.digest))
        make_whole(action.step, action.digest, folders, place)
    elif wrong := wrong_in(place, _manifest_among([place], action.digest)[0]):
        raise Temporary(f"{place} is damaged: {wrong}; it is set aside first")
    manifest, _ = _manifest_among([place], action.digest)
    _call_whole(tools, row, manifest)
    write_sidecar(place, _row(action, tools), action.campaign)
    write_campaign_file(tools, action.campaign_uid, action.campaign)
    write_status_files(tools, action.campaign_uid, action.campaign)
    return "whole again: every byte is as it was saved"


def _row(action: MendCheckpoint, tools: Tools) -> LedgerRow:
    with tools.writer.transaction() as store:
        row = select_one(store, LedgerRow, "WHERE sequence = ?", action.sequence)
    if row is None or row.digest != action.digest:
        raise Permanent(f"{name_of(action)}: the ledger has no row of {action.digest}")
    return row


def make_whole(step: int, digest: str, folders: Sequence[Path], place: Path) -> None:
    """Make the checkpoint with this digest in its place, each file from the first folder that has it right.

    Raises:
        FileExistsError: something lies there.
        Permanent: no folder has what is needed.
    """
    manifest, content = _manifest_among(folders, digest)
    ensure_folder(place.parent)
    staging = place.parent / f"{STAGING_PREFIX}{step}-mended"
    remove_staged(staging)
    make_staging(staging)
    try:
        for entry in manifest.files:
            _take(entry, folders, staging)
        write_file(staging / MANIFEST_NAME, content)
        check_written(staging, manifest)
        freeze(staging)
        publish_folder(staging, place)
    except BaseException:
        remove_staged(staging)
        raise


def _take(entry: FileEntry, folders: Sequence[Path], staging: Path) -> None:
    """Copy one file from the first folder that has it right."""
    target = staging / entry.path
    for folder in folders:
        try:
            source = open_file(folder / entry.path)
        except OSError:
            continue  # not there, not readable: the next one may have it
        if copy_hashed(source, target) == (entry.size_bytes, entry.blake3.removeprefix("blake3:")):
            return
        target.unlink()
    named = ", ".join(map(str, folders))
    raise Permanent(f"no copy has {entry.path} as it was saved; looked at {named}")


def _manifest_among(folders: Sequence[Path], digest: str) -> tuple[Manifest, bytes]:
    """Return the manifest with this digest from the first folder that has it, and its bytes."""
    for folder in folders:
        with suppress(OSError, ContractError, ValueError):
            content = read_file(folder / MANIFEST_NAME)
            manifest = decode(content, Manifest, MANIFEST_NAME)
            if manifest_digest(manifest) == manifest.digest == digest:
                return manifest, content
    raise Permanent(f"no copy has the manifest {digest}; looked at {', '.join(map(str, folders))}")


def _call_whole(tools: Tools, row: LedgerRow, manifest: Manifest) -> None:
    after = msgspec.structs.replace(row, damage=None, healthy=manifest.healthy, verified_at=tools.now())
    with tools.writer.transaction() as store:
        put(store, [after])
