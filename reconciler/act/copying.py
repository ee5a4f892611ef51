"""A copy of a checkpoint outside the root: copied, read back past the cache, published, recorded.

It counts only once it is recorded, after its bytes were read back where they lie now. Copying is left off as
soon as a person asks for something; files that are there whole are not copied again then.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reconciler.act.damaged import free_place, write_damage
from reconciler.act.derived import campaign_row
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.leftovers import staging_name, sweep
from reconciler.act.lying import find_lying
from reconciler.act.read_back import check_written, wrong_in
from reconciler.act.standing_copies import check_copy
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import checkpoint_of_any_name
from reconciler.observed.copy_places import free_bytes, why_no_target, why_unreachable
from reconciler.observed.records import ForeignFolder, FoundCheckpoint
from reconciler.plan.actions import CopyCheckpoint
from reconciler.plan.actions.base import name_of
from reconciler.plan.copies.places import copy_place
from state.amounts import size
from state.atomic import ensure_folder, freeze, make_staging, move_folder, publish_folder, remove_staged
from state.contract.files import ContractError, decode
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.copies import LeftOff, copy_hashed
from state.ids import damaged_folder
from state.inside import InTheWay, open_file, read_file
from state.store.rows import CopyRow
from state.store.tables import put, select


def copy(action: CopyCheckpoint, tools: Tools) -> str:
    """Make the copy, or take up the one that an earlier try has published.

    A copy of ours that is damaged is set aside once the new one beside it was read back, and is kept.

    Raises:
        Temporary: the source is not there as it was planned, or is damaged, which is written down now.
        Permanent: the place is none for a copy, something else lies there, or the source is out of reach.
    """
    _refuse_target(action, tools)
    place = Path(copy_place(action.to, _folder_name(tools, action), action.segment, action.step))
    source, kept = _source(action, tools), ""
    if not _is_whole_there(action, tools, place, source.manifest):
        try:
            kept = _make(action, tools, source, place)
        except LeftOff:
            return "left off, because a person asked for something; it goes on after that"
    _record(action, tools, place, source)
    sweep(tools, action.campaign_uid, action.campaign, place.parent)
    return f"{size(source.size_bytes)} in {place}, read back and as saved{kept}"


def _source(action: CopyCheckpoint, tools: Tools) -> FoundCheckpoint:
    """Return what is copied: what lies in the root; of what was moved out of it the first whole copy."""
    found = find_lying(tools, action.campaign_uid, action.campaign, action.digest)
    if found is not None:
        return found
    problems: list[Permanent | Temporary] = []
    for row in _known_copies(action, tools):
        if row.path in action.sources and row.digest == action.digest:
            try:
                return _look_at(row, tools)
            except (Permanent, Temporary) as problem:
                problems.append(problem)
    raise (
        problems[0]
        if problems
        else Temporary(f"{name_of(action)} is not there with digest {action.digest} any more")
    )


def _look_at(row: CopyRow, tools: Tools) -> FoundCheckpoint:
    """Return a copy, once manifest and sizes are as they were."""
    if (away := why_unreachable(Path(row.path))) is not None:
        raise Permanent(f"what it would be copied from is out of reach, and not lost: {away}")
    check_copy(tools, row, "")
    match checkpoint_of_any_name(Path(row.path)):
        case FoundCheckpoint() as found:
            return found
        case ForeignFolder(reason=reason):
            raise Temporary(f"{row.path}: {reason}")


def _known_copies(action: CopyCheckpoint, tools: Tools) -> Sequence[CopyRow]:
    with tools.writer.transaction() as store:
        return select(store, CopyRow, "WHERE sequence = ?", action.sequence)


def _folder_name(tools: Tools, action: CopyCheckpoint) -> str:
    """Return the name of the campaign's folder: below the other place copies lie as they do in the root."""
    with tools.writer.transaction() as store:
        return campaign_row(store, action.campaign_uid, action.campaign).folder_name


def _refuse_target(action: CopyCheckpoint, tools: Tools) -> None:
    to, root = Path(action.to), tools.layout.root
    if (why := why_no_target(to, root)) is not None:
        raise Permanent(why)
    if action.kind == "copy" and to.stat().st_dev == root.stat().st_dev:
        raise Permanent(
            f"{to} is on the same file system as the root {root}: what takes one takes the other; "
            "mount the disk that is meant, or name another folder"
        )
    if (room := free_bytes(to)) < action.size_bytes:
        raise Temporary(f"{to} has {size(room)} left, {size(action.size_bytes)} are needed")


def _is_whole_there(action: CopyCheckpoint, tools: Tools, place: Path, manifest: Manifest) -> bool:
    """Is this very copy there already, to the byte? One of ours that is damaged is not.

    Raises:
        Permanent: something else lies there.
    """
    if not os.path.lexists(place):
        return False
    wrong: str | None = f"its manifest is not that of {manifest.campaign}@{manifest.step}"
    if _manifest_in(place) == manifest and (wrong := wrong_in(place, manifest)) is None:
        return True
    is_folder = place.is_dir() and not place.is_symlink()
    known = {row.path for row in _known_copies(action, tools)}
    if action.kind != "export" and is_folder and str(place) in known:
        return False
    raise Permanent(f"{place} is in the way: {wrong}; it was left untouched, move it away")


def _manifest_in(folder: Path) -> Manifest | None:
    try:
        return decode(read_file(folder / MANIFEST_NAME), Manifest, MANIFEST_NAME)
    except (FileNotFoundError, InTheWay, ContractError):
        return None


def _make(action: CopyCheckpoint, tools: Tools, source: FoundCheckpoint, place: Path) -> str:
    """Make and publish it; return what became of a damaged one that lay there, in words."""
    ensure_folder(place.parent)
    staging = place.parent / staging_name(source.step, source.digest)
    make_staging(staging, may_exist=True)
    kept = ""
    try:
        _fill(action, tools, source, staging)
        check_written(staging, source.manifest)
        freeze(staging)
        if place.is_dir():
            aside = free_place(place.parent, damaged_folder(source.step, source.digest))
            move_folder(place, aside)
            kept = f"; what was damaged is kept as {aside.name}"
        publish_folder(staging, place)
    except LeftOff:
        raise
    except BaseException:
        remove_staged(staging)
        raise
    return kept


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
            _write_damage(action, tools, source, damage)
            raise Temporary(f"{folder} is damaged: {damage}; nothing was copied")
    manifest = staging / MANIFEST_NAME
    manifest.unlink(missing_ok=True)
    copy_hashed(open_file(folder / MANIFEST_NAME), manifest)
    if _manifest_in(staging) != source.manifest:
        raise Temporary(f"{folder / MANIFEST_NAME} changed while it was copied; planned again")


def _write_damage(action: CopyCheckpoint, tools: Tools, source: FoundCheckpoint, damage: str) -> None:
    """Remember what was found wrong with the source: with the checkpoint, or with a copy of it."""
    of_copy = [row for row in _known_copies(action, tools) if row.path == source.path]
    if not of_copy:
        write_damage(tools, action.campaign_uid, source, damage)
        return
    with tools.writer.transaction() as store:
        put(store, [msgspec.structs.replace(of_copy[0], damage=damage, checked_at=tools.now())])


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
