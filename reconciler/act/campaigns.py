"""Campaigns: register, activate, and keep the files that say so in step with the store."""

import apsw
import msgspec

from reconciler.act.derived import campaign_row, write_campaign_file, write_pointer_files
from reconciler.act.errors import Temporary
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.plan.actions import (
    ActivateCampaign,
    DeactivateCampaign,
    RegisterCampaign,
    WriteCampaignRecord,
    WritePointer,
)
from state.atomic import ensure_folder
from state.cards import CampaignCard, encode_card
from state.store.rows import CampaignRow
from state.store.tables import get_meta, put, put_meta, select, select_one


def register(action: RegisterCampaign, tools: Tools) -> str:
    """Make the campaign's folders, its row, then its campaign.json."""
    places = tools.layout.campaign(action.campaign)
    for folder in (places.checkpoints, places.status, places.logs, places.runs):
        ensure_folder(folder)
    with tools.writer.transaction() as store:
        if select_one(store, CampaignRow, "WHERE uid = ?", action.campaign_uid) is None:
            row = CampaignRow(
                uid=action.campaign_uid, name=action.campaign, status="paused", created_at=tools.now()
            )
            put(store, [row])
        _keep_card(store, action.campaign_uid, action.campaign, action.card)
    write_campaign_file(tools, action.campaign_uid, action.campaign)
    write_status_files(tools, action.campaign_uid, action.campaign)
    return "its folder and record are made"


def write_record(action: WriteCampaignRecord, tools: Tools) -> str:
    """Keep what the spec says now, and write campaign.json from it and the store."""
    with tools.writer.transaction() as store:
        _keep_card(store, action.campaign_uid, action.campaign, action.card)
    kept = write_campaign_file(tools, action.campaign_uid, action.campaign)
    write_status_files(tools, action.campaign_uid, action.campaign)
    return "; ".join(filter(None, ("campaign.json written", kept)))


def _keep_card(store: apsw.Connection, uid: str, name: str, card: CampaignCard) -> None:
    row = campaign_row(store, uid, name)
    put(store, [msgspec.structs.replace(row, card_json=encode_card(card))])


def activate(action: ActivateCampaign, tools: Tools) -> str:
    """Make the campaign active and every other one paused, then write what says so.

    Raises:
        Temporary: it lies in the archive.
    """
    with tools.writer.transaction() as store:
        chosen = campaign_row(store, action.campaign_uid, action.campaign)
        if chosen.status in ("archived", "deleted"):
            raise Temporary(f"{action.campaign} is {chosen.status}; the plan restores it first")
        demoted = select(store, CampaignRow, "WHERE status = 'active' AND uid != ?", action.campaign_uid)
        put(store, [msgspec.structs.replace(row, status="paused") for row in demoted])
        put(store, [msgspec.structs.replace(chosen, status="active")])
        if get_meta(store, "active_uid") != action.campaign_uid:
            put_meta(store, "active_uid", action.campaign_uid)
            put_meta(store, "activated_at", tools.now())
    write_pointer_files(tools)
    _write_all_campaign_files(tools)
    return f"was {action.previous}" if action.previous else "no campaign was active before"


def deactivate(action: DeactivateCampaign, tools: Tools) -> str:
    """Pause the campaign and leave the realm without an active one; no pointer says so."""
    with tools.writer.transaction() as store:
        row = campaign_row(store, action.campaign_uid, action.campaign)
        put(store, [msgspec.structs.replace(row, status="paused")])
        if get_meta(store, "active_uid") == action.campaign_uid:
            put_meta(store, "active_uid", "")
            put_meta(store, "activated_at", "")
    write_pointer_files(tools)
    write_campaign_file(tools, action.campaign_uid, action.campaign)
    return "no campaign is active"


def write_pointer(_action: WritePointer, tools: Tools) -> str:
    """Write pointer and link from the store."""
    kept = write_pointer_files(tools)
    return "; ".join(filter(None, ("pointer and link written", kept)))


def _write_all_campaign_files(tools: Tools) -> None:
    """Write what changed in any campaign.json: a kill may have left the one demoted before unwritten."""
    with tools.writer.transaction() as store:
        rows = select(store, CampaignRow)
    for row in rows:
        write_campaign_file(tools, row.uid, row.name)
