"""Damaged checkpoints: found before training goes on from them, written down, and set aside.

Nothing of them is deleted. One that was restored, or that only looked damaged, is used again once its
contents are right.
"""

from pathlib import Path

import msgspec

from reconciler.act.checkpoints import newest_to_resume, row_in_force
from reconciler.act.derived import write_campaign_file
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.lying import find_lying
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import find_damage
from reconciler.observed.records import FoundCheckpoint
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
        Permanent: the ledger does not call it damaged.
    """
    row = _row(action, tools)
    found = find_lying(tools, action.campaign_uid, action.campaign, action.digest)
    if found is None:
        return "it is not there any more"
    if not find_damage(Path(found.path), found.manifest):
        _call_whole(tools, row, found)
        write_campaign_file(tools, action.campaign_uid, action.campaign)
        write_status_files(tools, action.campaign_uid, action.campaign)
        return "its contents are right again: it stays"
    place = Path(found.path)
    target = free_place(place.parent, damaged_folder(action.step, action.digest))
    move_folder(place, target)
    write_status_files(tools, action.campaign_uid, action.campaign)
    return f"kept as {target.name}"


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
