"""A campaign gets another name: rows and derived files say it; its uid and its folder stay.

The order is: sidecars, then every row in one transaction, then the files that repeat them. Campaigns that
take each other's names have them in one transaction, too: none is ever in another's place. A kill before the
transaction leaves the old name, and the next plan does it again; one after it leaves files that the next plan
finds different from the rows.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import apsw
import msgspec

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
from state.store.tables import get_meta, put, put_meta, select


def rename(action: RenameCampaign, tools: Tools) -> str:
    """Let everything that names the campaign name it anew.

    Raises:
        Permanent: another campaign has that name.
        Temporary: its folder cannot be read.
    """
    wanted = Rename(campaign_uid=action.campaign_uid, old=action.previous, new=action.campaign, how="said")
    group = action.together or (wanted,)
    renames = _left(tools, group)
    for one in renames:
        _rewrite_sidecars(tools, one)
    with tools.writer.transaction() as store:
        named = _rename_rows(store, renames)
        is_active = get_meta(store, "active_uid") in {one.campaign_uid for one in group}
    for one in group:
        _write_files(tools, one, {**named, one.campaign_uid: one.new})
    if is_active:
        write_pointer_files(tools)
    folder = places_of(tools, wanted.campaign_uid, wanted.new).folder.relative_to(tools.layout.root)
    return f"it was {action.previous}; its folder stays {folder}"


def _left(tools: Tools, renames: Sequence[Rename]) -> tuple[Rename, ...]:
    """Return those that have their former names yet: all or none, since one transaction renames them."""
    with tools.writer.transaction() as store:
        names = {row.uid: row.name for row in select(store, CampaignRow)}
    return tuple(one for one in renames if names.get(one.campaign_uid, one.new) != one.new)


def _rename_rows(store: apsw.Connection, left: Sequence[Rename]) -> dict[str, str]:
    """Change every row that names one of the campaigns; return uid → name of those whose own rows changed.

    Raises:
        Permanent: another campaign has one of the names.
    """
    rows = {row.uid: row for row in select(store, CampaignRow)}
    uids = {one.campaign_uid for one in left}
    for one in left:
        taken = next((r for r in rows.values() if r.name == one.new and r.uid not in uids), None)
        if taken is not None:
            raise Permanent(f"campaign {taken.uid} has the name {one.new} already; nothing was renamed")
    _note_former(store, [rows[uid] for uid in sorted(uids & rows.keys())])
    changed = [(row, after) for row in _naming_rows(store) if (after := renamed(row, left)) is not row]
    for uid in uids:  # two rows never have one name, not even between two statements
        store.execute("UPDATE campaigns SET name = '/' || uid WHERE uid = ?", (uid,))
    put(store, [after for _, after in changed])
    return {after.uid: after.name for _, after in changed if isinstance(after, CampaignRow)}


def _naming_rows(store: apsw.Connection) -> list[msgspec.Struct]:
    found: list[msgspec.Struct] = []
    for row_type in NAMED:
        found += select(store, row_type, "WHERE handled_at IS NULL" if row_type is RequestRow else "")
    return found


def _note_former(store: apsw.Connection, rows: Sequence[CampaignRow]) -> None:
    """Keep what each is called in the commit from which history is read, until another one is."""
    known = json.loads(get_meta(store, "renamed_since") or "{}")
    put_meta(store, "renamed_since", json.dumps({row.uid: row.name for row in rows} | known, sort_keys=True))


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
