"""A copy of a checkpoint outside the root: copied, read back past the cache, published, recorded.

It counts only once it is recorded, after its bytes were read back where they lie now. Copying is left off as
soon as a person asks for something; files that are there whole are not copied again then.
"""

import os
from pathlib import Path

from reconciler.act.damaged import write_damage
from reconciler.act.derived import campaign_row
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.leftovers import staging_name, sweep
from reconciler.act.lying import find_lying
from reconciler.act.read_back import check_written, wrong_in
from reconciler.act.tools import Tools
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.actions import CopyCheckpoint
from reconciler.plan.actions.base import name_of
from reconciler.plan.copies.places import copy_place
from state.amounts import size
from state.atomic import PRIVATE_FOLDER, ensure_folder, freeze, publish_folder, remove_staged
from state.contract.files import ContractError, decode
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.copies import LeftOff, copy_hashed
from state.failpoints import reach
from state.inside import InTheWay, open_file, read_file
from state.store.rows import CopyRow
from state.store.tables import put


def copy(action: CopyCheckpoint, tools: Tools) -> str:
    """Make the copy, or take up the one that an earlier try has published.

    Raises:
        Temporary: the source is not there as it was planned, or is damaged, which is written down now.
        Permanent: the place is none for a copy, or something else lies there.
    """
    _refuse_target(action, tools)
    place = Path(copy_place(action.to, _folder_name(tools, action), action.segment, action.step))
    source = find_lying(tools, action.campaign_uid, action.campaign, action.digest)
    if source is None:
        raise Temporary(f"{name_of(action)} is not there with digest {action.digest} any more")
    if os.path.lexists(place):
        _refuse_other(place, source.manifest)
    else:
        try:
            _make(action, tools, source, place)
        except LeftOff:
            return "left off, because a person asked for something; it goes on after that"
    _record(action, tools, place, source)
    sweep(tools, action.campaign_uid, action.campaign, place.parent)
    return f"{size(source.size_bytes)} in {place}, read back and as saved"


def _folder_name(tools: Tools, action: CopyCheckpoint) -> str:
    """Return the name of the campaign's folder: below the other place copies lie as they do in the root."""
    with tools.writer.transaction() as store:
        return campaign_row(store, action.campaign_uid, action.campaign).folder_name


def _refuse_target(action: CopyCheckpoint, tools: Tools) -> None:
    to, root = Path(action.to), tools.layout.root
    if not to.is_dir():
        raise Permanent(f"{to} is no folder: make it, or mount the disk that it is on")
    if to.resolve().is_relative_to(root.resolve()):
        raise Permanent(f"{to} lies in the realm's root {root}; a copy belongs outside of it")
    if action.kind == "copy" and to.stat().st_dev == root.stat().st_dev:
        raise Permanent(
            f"{to} is on the same file system as the root {root}: what takes one takes the other; "
            "mount the disk that is meant, or name another folder"
        )
    room = os.statvfs(to)
    if room.f_bavail * room.f_frsize < action.size_bytes:
        raise Temporary(
            f"{to} has {size(room.f_bavail * room.f_frsize)} left, {size(action.size_bytes)} are needed"
        )


def _refuse_other(place: Path, manifest: Manifest) -> None:
    """Let what lies in the copy's place count if it is this very copy, to the byte."""
    wrong = f"its manifest is not that of {manifest.campaign}@{manifest.step}"
    if _manifest_in(place) == manifest and (wrong := wrong_in(place, manifest) or "") == "":
        return
    raise Permanent(f"{place} is in the way: {wrong}; it was left untouched, move it away")


def _manifest_in(folder: Path) -> Manifest | None:
    try:
        return decode(read_file(folder / MANIFEST_NAME), Manifest, MANIFEST_NAME)
    except (FileNotFoundError, InTheWay, ContractError):
        return None


def _make(action: CopyCheckpoint, tools: Tools, source: FoundCheckpoint, place: Path) -> None:
    ensure_folder(place.parent)
    staging = place.parent / staging_name(source.step, source.digest)
    reach("folder.create")
    staging.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    try:
        _fill(action, tools, source, staging)
        check_written(staging, source.manifest)
        freeze(staging)
        publish_folder(staging, place)
    except LeftOff:
        raise
    except BaseException:
        remove_staged(staging)
        raise


def _fill(action: CopyCheckpoint, tools: Tools, source: FoundCheckpoint, staging: Path) -> None:
    """Copy every file that is not there yet, the manifest last."""
    folder = Path(source.path)
    for entry in source.manifest.files:
        target = staging / entry.path
        if target.is_file() and target.stat().st_size == entry.size_bytes:
            continue  # of a try that was left off; it is read back with the others
        target.unlink(missing_ok=True)
        given = copy_hashed(open_file(folder / entry.path), target, tools.asked)
        if given != (entry.size_bytes, entry.blake3.removeprefix("blake3:")):
            damage = f"{entry.path} has BLAKE3 {given[1]}, the manifest says {entry.blake3}"
            write_damage(tools, action.campaign_uid, source, damage)
            raise Temporary(f"{folder} is damaged: {damage}; nothing was copied")
    manifest = staging / MANIFEST_NAME
    manifest.unlink(missing_ok=True)
    copy_hashed(open_file(folder / MANIFEST_NAME), manifest)
    if _manifest_in(staging) != source.manifest:
        raise Temporary(f"{folder / MANIFEST_NAME} changed while it was copied; planned again")


def _record(action: CopyCheckpoint, tools: Tools, place: Path, source: FoundCheckpoint) -> None:
    now = tools.now()
    with tools.writer.transaction() as store:
        put(
            store,
            [
                CopyRow(
                    sequence=action.sequence,
                    path=str(place),
                    kind=action.kind,
                    digest=action.digest,
                    size_bytes=source.size_bytes,
                    made_at=now,
                    checked_at=now,
                )
            ],
        )
