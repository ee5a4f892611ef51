"""A campaign deleted whole: its tombstone, then one rename into the trash; and back, until the purge.

The row, its ledger rows and its number stay for ever. The order is: summary, tombstone and row in one
transaction, campaign.json, rename. A kill in between leaves a folder that has its tombstone already; the next
plan moves it.
"""

from collections.abc import Iterator
from pathlib import Path

import apsw
import msgspec

from reconciler.act.approvals import forget
from reconciler.act.archive import write_summary
from reconciler.act.damaged import write_damage
from reconciler.act.derived import campaign_row, write_campaign_file
from reconciler.act.errors import NotAsPlanned, Permanent, Temporary
from reconciler.act.lying import all_lying
from reconciler.act.purging import known_runs
from reconciler.act.status_files import write_status_files
from reconciler.act.tombstones import mirror, new_stone
from reconciler.act.tools import Tools
from reconciler.observed.belongings import belongings_of_campaign
from reconciler.observed.checkpoints import find_damage
from reconciler.plan.actions import DeleteCampaign
from state.atomic import ensure_folder, move_folder
from state.homes import Home, find_home
from state.ids import ARCHIVE, CAMPAIGNS, contents_digest
from state.layout import CampaignLayout
from state.store.rows import CampaignRow, RunRow, TrashRow
from state.store.tables import put, select, select_one


def delete(action: DeleteCampaign, tools: Tools) -> str:
    """Write the campaign's tombstone, then move its folder into the trash.

    Raises:
        Temporary: it is active, a run of it is not over, or it is not any more what it was planned to be.
        Permanent: its folder is nowhere, or something lies in the other's way.
    """
    with tools.writer.transaction() as store:
        row = campaign_row(store, action.campaign_uid, action.campaign)
        stone = select_one(store, TrashRow, "WHERE sequence = ? AND state = 'trashed'", action.sequence)
    home, place = find_home(tools.layout, row), tools.layout.deleted_campaign(row.uid)
    if stone is None:
        stone = _bury(action, tools, row, home)
    elif home.state != "missing":
        if place.exists():
            raise Temporary(f"{row.name} lies in {place}, and {home.folder} has its place; nothing was done")
        _check_unchanged(tools, row, home.places, stone.digest)
    if not place.exists():
        write_campaign_file(tools, row.uid, row.name)
        ensure_folder(place.parent)
        move_folder(home.places.folder, place)
    mirror(tools, stone)
    return f"in the trash; reconcile undelete {action.campaign} takes it back"


def _bury(action: DeleteCampaign, tools: Tools, row: CampaignRow, home: Home) -> TrashRow:
    """Look once more at what is to be deleted, keep its final metrics in it, and write its tombstone."""
    folder = home.places.folder
    if home.state in ("missing", "both"):
        raise Permanent(f"{folder}: {row.name} lies nowhere, or at two places; nothing was deleted")
    _check_unchanged(tools, row, home.places, action.digest)
    runs = known_runs(tools, row.uid)
    if strange := belongings_of_campaign(folder, tools.layout.root, row.uid, runs).strange():
        raise Temporary(f"{folder} holds what is not ours: {strange}; nothing was deleted")
    _check_at_rest(tools, row)
    write_summary(tools, row)
    with tools.writer.transaction() as store:
        stone = new_stone(store, tools, action, folder, tools.layout.deleted_campaign(row.uid))
        put(store, [stone, msgspec.structs.replace(row, status="deleted")])
    return stone


def _check_unchanged(tools: Tools, row: CampaignRow, places: CampaignLayout, digest: str) -> None:
    lying = all_lying(tools, row.uid, places)
    if contents_digest(found.manifest.digest for found in lying) != digest:
        raise NotAsPlanned(f"{places.folder}: its checkpoints changed since the plan; nothing was deleted")


def _check_at_rest(tools: Tools, row: CampaignRow) -> None:
    if row.status == "active":
        raise Temporary(f"{row.name} is active; the plan makes another one active, or none, before")
    with tools.writer.transaction() as store:
        if select(store, RunRow, "WHERE campaign_uid = ? AND state != 'ended'", row.uid):
            raise Temporary(f"a run of {row.name} is not over; it is deleted after")


def restore_campaign(stone: TrashRow, tools: Tools, *, is_asked: bool = True) -> str:
    """Move a deleted campaign back to where it lay, as it was; what is damaged in it is named.

    What lies in its place already, and not in the trash, is taken for it where a person asks for that; else
    only where it is what was deleted, which is looked at once more.

    Returns what came of it: it may be purged, or its place taken, and then nothing is done.
    """
    folder, place = tools.layout.root / stone.origin, tools.layout.root / stone.path
    if stone.state == "trashed" and place.is_dir():
        if folder.exists():
            return f"not taken back: {folder} is taken; it stays in the trash"
        ensure_folder(folder.parent)
        move_folder(place, folder)
    elif stone.state not in ("trashed", "restored") or not folder.is_dir():
        return f"{stone.campaign} is deleted for good"
    elif not (is_asked or stone.state == "restored" or _is_what_was_deleted(tools, stone, folder)):
        return f"not taken back: what lies in {folder} is not what was deleted; it is let be"
    status = _revive(tools, stone)
    damage = "".join(f"; {text}" for text in _damage(tools, stone, folder))
    line = f"; {stone.overrules} counts no more while that line stands" if stone.overrules else ""
    return f"{stone.campaign} is back, {status}{line}{damage}"


def _is_what_was_deleted(tools: Tools, stone: TrashRow, folder: Path) -> bool:
    lying = all_lying(tools, stone.campaign_uid, CampaignLayout(folder))
    return contents_digest(found.manifest.digest for found in lying) == stone.digest


def _revive(tools: Tools, stone: TrashRow) -> str:
    """Write down that a campaign lies in its place again; return what it is now."""
    with tools.writer.transaction() as store:
        row = _revived(store, stone)
        after = msgspec.structs.replace(stone, state="restored", ended_at=stone.ended_at or tools.now())
        put(store, [row, after])
        forget(store, stone.sequence)
    mirror(tools, after)
    write_campaign_file(tools, row.uid, row.name)
    write_status_files(tools, row.uid, row.name)
    return row.status


def _revived(store: apsw.Connection, stone: TrashRow) -> CampaignRow:
    row = campaign_row(store, stone.campaign_uid, stone.campaign)
    if row.status != "deleted":
        return row
    was_archived = stone.origin.startswith(f"{CAMPAIGNS}/{ARCHIVE}/")
    return msgspec.structs.replace(row, status="archived" if was_archived else "paused")


def _damage(tools: Tools, stone: TrashRow, folder: Path) -> Iterator[str]:
    """Say what is wrong with the campaign's checkpoints, each read and hashed whole, and write it down."""
    for found in all_lying(tools, stone.campaign_uid, CampaignLayout(folder)):
        if problems := "; ".join(find_damage(Path(found.path), found.manifest)):
            write_damage(tools, stone.campaign_uid, found, problems)
            yield f"checkpoint {found.step} is damaged: {problems}"
