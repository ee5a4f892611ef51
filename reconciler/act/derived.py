"""Write the files that repeat what the store says: campaign.json, the active pointer and its link.

The store is changed first. A kill between the two leaves an old file, which the next plan sees as drift.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw

from reconciler.act.errors import Permanent
from reconciler.act.tools import Tools
from state.atomic import (
    create_file,
    ensure_folder,
    move_file,
    remove_entry,
    replace_link,
    write_file,
)
from state.campaign_file import campaign_record, card_of
from state.cards import CampaignCard, decode_card
from state.formats import MAX_RECORD_BYTES, decode_record, encode_record, pointer_record
from state.homes import find_home
from state.inside import TooLarge, read_file
from state.layout import CampaignLayout
from state.store.rows import CampaignRow, LedgerRow, SegmentRow
from state.store.tables import get_meta, select, select_one


def campaign_row(store: apsw.Connection, uid: str, name: str) -> CampaignRow:
    """Return the campaign's row.

    Raises:
        Permanent: the campaign is not registered.
    """
    row = select_one(store, CampaignRow, "WHERE uid = ?", uid)
    if row is None:
        raise Permanent(f"campaign {name} (uid {uid}) is not in the store; the next plan registers it")
    return row


def places_of(tools: Tools, uid: str, name: str) -> CampaignLayout:
    """Return where the campaign's files lie now: at home, in the archive, or on the way between them.

    Raises:
        Permanent: the campaign is not registered.
    """
    with tools.writer.transaction() as store:
        row = campaign_row(store, uid, name)
    return find_home(tools.layout, row).places


def write_campaign_file(tools: Tools, uid: str, name: str) -> str:
    """Make campaign.json say what the store says now; return what people should know about it, or nothing.

    Where a store of an older version does not know the spec's part and the file does not say it either, it is
    left to the plan, which knows the spec.
    """
    with tools.writer.transaction() as store:
        row = campaign_row(store, uid, name)
        ledger = select(store, LedgerRow, "WHERE campaign_uid = ? ORDER BY sequence", uid)
        segments = select(store, SegmentRow, "WHERE campaign_uid = ? ORDER BY number", uid)
    home = find_home(tools.layout, row)
    places, state = home.places, home.state
    if row.status == "deleted" and state == "missing":
        return ""
    path = places.record
    existing, kept = read_or_keep(path, path)
    card = _card(row, existing)
    if card is not None:
        record = campaign_record(card, row, ledger, existing, segments)
        write_if_changed(path, encode_record(record))
    return kept


def _card(row: CampaignRow, existing: Mapping[str, Any]) -> CampaignCard | None:
    try:
        return decode_card(row.card_json) or card_of(existing)
    except ValueError:
        return None


def write_pointer_files(tools: Tools) -> str:
    """Make the active pointer and its link say what the store says now; return what people should know."""
    layout = tools.layout
    with tools.writer.transaction() as store:
        active = get_meta(store, "active_uid") or None
        activated_at = get_meta(store, "activated_at") or ""
        row = select_one(store, CampaignRow, "WHERE uid = ?", active) if active else None
    if row is None:
        remove_entry(layout.active_pointer)
        remove_entry(layout.active_link)
        return ""
    existing, kept = read_or_keep(layout.active_pointer, layout.active_pointer)
    write_if_changed(layout.active_pointer, encode_record(pointer_record(row, activated_at, existing)))
    ensure_folder(layout.campaigns)
    replace_link(layout.active_link, row.folder_name)
    return kept


def read_existing(path: Path) -> dict[str, Any]:
    """Return the record in a derived file; empty when there is none or it cannot be understood.

    Raises:
        InTheWay: no plain file, or a link on the way.
    """
    try:
        return decode_record(read_file(path, MAX_RECORD_BYTES))
    except (FileNotFoundError, TooLarge, ValueError):
        return {}


def read_or_keep(path: Path, beside: Path) -> tuple[dict[str, Any], str]:
    """Return the record in a derived file that is rewritten next, and what people should know about it.

    A file that cannot be understood may hold what only a person knows: its bytes are kept, durably, as
    `<beside>.damaged-<digest>` before anything replaces them; the same bytes once. One that is larger than
    any record is put aside as it is.

    Raises:
        InTheWay: no plain file, or a link on the way.
    """
    try:
        content = read_file(path, MAX_RECORD_BYTES)
    except FileNotFoundError:
        return {}, ""
    except TooLarge:
        return {}, _put_aside(path, beside)
    try:
        return decode_record(content), ""
    except ValueError:
        return {}, _keep(content, beside) if content.strip() else ""


def _keep(content: bytes, beside: Path) -> str:
    kept = beside.with_name(f"{beside.name}.damaged-{hashlib.sha256(content).hexdigest()[:16]}")
    create_file(kept, content)
    return f"what was there could not be understood and is kept as {kept.name}"


def _put_aside(path: Path, beside: Path) -> str:
    status = path.stat()
    kept = beside.with_name(f"{beside.name}.damaged-{status.st_mtime_ns}")
    move_file(path, kept)
    return f"what was there, {status.st_size:,} bytes, is larger than any record and is kept as {kept.name}"


def write_if_changed(path: Path, content: bytes) -> None:
    """Write a derived file unless it has this content already."""
    ensure_folder(path.parent)
    try:
        is_same = read_file(path, len(content)) == content
    except (FileNotFoundError, TooLarge):
        is_same = False
    if not is_same:
        write_file(path, content)
