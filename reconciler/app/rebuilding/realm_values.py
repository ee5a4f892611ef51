"""The realm's values in a store that is made again: which campaign is active, observed time, where it lay."""

from collections.abc import Mapping, Sequence

import msgspec

from reconciler.app.rebuilding.folders import FolderRows
from state.formats import decode_record
from state.inside import read_file
from state.layout import Layout
from state.store.rows import CampaignRow, LedgerRow, TrashRow


def realm_values(
    layout: Layout, said: Mapping[str, str], found: FolderRows, rows: Sequence[msgspec.Struct]
) -> dict[str, str]:
    """Return the realm's values; observed time goes on where it surely had been, so no grace gets shorter."""
    meta = dict(said)
    if meta.get("active_uid") not in {row.uid for row in rows if isinstance(row, CampaignRow)}:
        meta.pop("active_uid", None)  # its file of rows is lost, and its folder too
    if "active_uid" not in meta:
        meta |= _active(layout, rows)
    if "realm_uid" not in meta and found.realm_uid is not None:
        meta["realm_uid"] = found.realm_uid
    if "root_place" not in meta and found.root_place is not None:
        meta["root_place"] = found.root_place
    stones = [row for row in rows if isinstance(row, TrashRow)]
    seconds = [row.recorded_at_seconds for row in rows if isinstance(row, LedgerRow)]
    latest = max([*seconds, *(stone.trashed_at_seconds for stone in stones)], default=0.0)
    if latest > float(meta.get("observed_seconds", 0)):
        meta["observed_seconds"] = repr(latest)
        meta.pop("observed_at", None)  # when that was, nobody knows
    ticks = [int(meta.get("clean_ticks", 0)), *(stone.clean_ticks for stone in stones)]
    return meta | {"clean_ticks": str(max(ticks))}


def _active(layout: Layout, rows: Sequence[msgspec.Struct]) -> dict[str, str]:
    """Return which campaign is active, as its own row says, and since when, as the pointer says."""
    active = [row for row in rows if isinstance(row, CampaignRow) and row.status == "active"]
    if len(active) != 1:
        return {}
    try:
        said = decode_record(read_file(layout.active_pointer))
    except (OSError, ValueError):
        said = {}
    since = (
        said.get("activated_at")
        if said.get("campaign_path") == f"campaigns/{active[0].folder_name}"
        else None
    )
    return {"active_uid": active[0].uid} | ({"activated_at": since} if isinstance(since, str) else {})
