"""A campaign gets another name: rows and derived files say it; its uid and its folder stay.

The order is: sidecars, then every row in one transaction, then the files that repeat them. A kill before the
transaction leaves the old name, and the next plan does it again; one after it leaves files that the next plan
finds different from the rows.
"""

from pathlib import Path

import apsw

from reconciler.act.checkpoints import row_in_force, write_sidecar
from reconciler.act.derived import places_of, write_campaign_file, write_pointer_files
from reconciler.act.errors import Permanent
from reconciler.act.lying import all_lying
from reconciler.act.status_files import write_status_files
from reconciler.act.tombstones import mirror
from reconciler.act.tools import Tools
from reconciler.plan.actions import RenameCampaign
from state.renames import NAMED, Rename, renamed
from state.store.rows import CampaignRow, RequestRow, TrashRow
from state.store.tables import get_meta, put, select, select_one


def rename(action: RenameCampaign, tools: Tools) -> str:
    """Let everything that names the campaign name it anew.

    Raises:
        Permanent: another campaign has that name.
        Temporary: its folder cannot be read.
    """
    wanted = Rename(campaign_uid=action.campaign_uid, old=action.previous, new=action.campaign, how="said")
    _rewrite_sidecars(tools, wanted)
    with tools.writer.transaction() as store:
        taken = select_one(store, CampaignRow, "WHERE name = ? AND uid != ?", wanted.new, wanted.campaign_uid)
        if taken is not None:
            raise Permanent(f"campaign {taken.uid} has the name {wanted.new} already; nothing was renamed")
        named = _rename_rows(store, wanted)
        is_active = get_meta(store, "active_uid") == wanted.campaign_uid
    _write_files(tools, wanted, named)
    if is_active:
        write_pointer_files(tools)
    folder = places_of(tools, wanted.campaign_uid, wanted.new).folder.relative_to(tools.layout.root)
    return f"it was {action.previous}; its folder stays {folder}"


def _rename_rows(store: apsw.Connection, wanted: Rename) -> dict[str, str]:
    """Change every row that names the campaign; return uid → name of the campaigns that do, itself too."""
    named = {wanted.campaign_uid: wanted.new}
    for row_type in NAMED:
        where = "WHERE handled_at IS NULL" if row_type is RequestRow else ""
        for row in select(store, row_type, where):
            after = renamed(row, wanted)
            if after is not row:
                put(store, [after])
                named |= {after.uid: after.name} if isinstance(after, CampaignRow) else {}
    return named


def _rewrite_sidecars(tools: Tools, wanted: Rename) -> None:
    """Let the sidecar of each checkpoint name hero and campaign as its row will."""
    uid = wanted.campaign_uid
    for found in all_lying(tools, uid, places_of(tools, uid, wanted.old)):
        with tools.writer.transaction() as store:
            ledger = row_in_force(store, uid, found.manifest.segment, found.step)
        if ledger is not None and ledger.digest == found.manifest.digest and ledger.damage is None:
            write_sidecar(Path(found.path), ledger, wanted.new)


def _write_files(tools: Tools, wanted: Rename, named: dict[str, str]) -> None:
    """Write what repeats the rows: of the campaign, of those that began with it, and in the trash."""
    for uid, name in sorted(named.items()):
        write_campaign_file(tools, uid, name)
    write_status_files(tools, wanted.campaign_uid, wanted.new)
    with tools.writer.transaction() as store:
        stones = select(store, TrashRow, "WHERE campaign_uid = ?", wanted.campaign_uid)
    for stone in stones:
        if stone.state in ("trashed", "purging"):
            mirror(tools, stone)
