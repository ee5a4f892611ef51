"""Damaged checkpoints: found before training goes on from them, written down, and set aside.

Nothing of them is deleted. One that was restored, or that only looked damaged, is used again once its
contents are right.
"""

import os
from pathlib import Path

import msgspec

from reconciler.act.checkpoints import newest_to_resume, row_in_force
from reconciler.act.derived import places_of, write_campaign_file
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.lying import find_lying, place_of
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import find_damage, one_checkpoint
from reconciler.observed.records import ForeignFolder, FoundCheckpoint
from reconciler.plan.actions import SetAsideCheckpoint
from state.atomic import move_folder
from state.ids import damaged_folder
from state.store.rows import LedgerRow
from state.store.tables import put


def verified_to_resume(
    tools: Tools,
    campaign: str,
    campaign_uid: str,
    *,
    segment: int | None = None,
    parent_digest: str | None = None,
) -> FoundCheckpoint | None:
    """Return the newest complete healthy checkpoint, once all of it was read and hashed.

    Of a branch (`segment`) it is its own newest, else the one that it branches off from.

    Raises:
        Temporary: it is damaged, which is written down now; or what lies there cannot be read.
    """
    found = newest_to_resume(tools, campaign, campaign_uid, segment)
    if found is None and parent_digest is not None:
        found = find_lying(tools, campaign_uid, campaign, parent_digest)
        if found is None:
            raise Temporary(f"what segment {segment} of {campaign} branches off from is gone; planned again")
    if found is None or not (damage := find_damage(Path(found.path), found.manifest)):
        return found
    text = "; ".join(damage)
    write_damage(tools, campaign_uid, found, text)
    raise Temporary(
        f"{found.path} is damaged: {text}; nothing was started: the next plan sets it aside and goes on from "
        "an earlier one"
    )


def write_damage(tools: Tools, campaign_uid: str, found: FoundCheckpoint, text: str) -> None:
    """Remember in the ledger that a checkpoint is damaged, and how."""
    with tools.writer.transaction() as store:
        row = row_in_force(store, campaign_uid, found.manifest.segment, found.step)
        if row is not None and row.digest == found.manifest.digest:
            put(store, [msgspec.structs.replace(row, damage=text, healthy=False)])


def set_aside(action: SetAsideCheckpoint, tools: Tools) -> str:
    """Move the damaged checkpoint to a reserved name beside it; one that is whole after all stays and counts.

    Raises:
        Temporary: what has its place is not what is left of it.
        Permanent: the ledger does not call it damaged.
    """
    row = _row(action, tools)
    found = find_lying(tools, action.campaign_uid, action.campaign, action.digest)
    if found is None:
        return _set_torn_aside(action, tools, row)
    if not find_damage(Path(found.path), found.manifest):
        _call_whole(tools, row, found)
        _tell(action, tools)
        return "its contents are right again: it stays"
    return _move_aside(action, tools, Path(found.path))


def _set_torn_aside(action: SetAsideCheckpoint, tools: Tools, row: LedgerRow) -> str:
    """Set aside what is left of it in its place, which the ledger calls damaged from then on."""
    place = place_of(places_of(tools, action.campaign_uid, action.campaign), row)
    if not os.path.lexists(place):
        _tell(action, tools)
        return "it is not there any more"
    there = one_checkpoint(place)
    if not isinstance(there, ForeignFolder) or there.torn is None or not there.torn.may_be(row.digest):
        raise Temporary(f"{place} is not what is left of it any more; planned again")
    with tools.writer.transaction() as store:
        put(store, [msgspec.structs.replace(row, damage=there.reason, healthy=False)])
    return _move_aside(action, tools, place)


def _move_aside(action: SetAsideCheckpoint, tools: Tools, place: Path) -> str:
    target = free_place(place.parent, damaged_folder(action.step, action.digest))
    move_folder(place, target)
    _tell(action, tools)
    return f"kept as {target.name}"


def _tell(action: SetAsideCheckpoint, tools: Tools) -> None:
    write_campaign_file(tools, action.campaign_uid, action.campaign)
    write_status_files(tools, action.campaign_uid, action.campaign)


def _row(action: SetAsideCheckpoint, tools: Tools) -> LedgerRow:
    with tools.writer.transaction() as store:
        row = row_in_force(store, action.campaign_uid, action.segment, action.step)
    if row is None or row.digest != action.digest:
        raise Permanent(
            f"checkpoint {action.campaign}@{action.which}: the ledger has no row of {action.digest}"
        )
    return row


def _call_whole(tools: Tools, row: LedgerRow, found: FoundCheckpoint) -> None:
    with tools.writer.transaction() as store:
        put(store, [msgspec.structs.replace(row, damage=None, healthy=found.manifest.healthy)])


def free_place(folder: Path, name: str) -> Path:
    """Return a place of this name, with a number behind it when an earlier copy lies there already."""
    place, number = folder / name, 1
    while place.exists():
        number += 1
        place = folder / f"{name}-{number}"
    return place
