"""The archive: a campaign's folder is moved in and out whole, by one rename that never replaces or nests.

The order is: summary, rename, sidecars, then row and ledger paths in one transaction, then campaign.json.
A kill before the transaction leaves the folder at the other place under the old row; the plan sees that and
does the same again.
"""

from pathlib import Path

import apsw
import msgspec

from reconciler.act.checkpoints import row_in_force, write_sidecar
from reconciler.act.derived import campaign_row, read_existing, write_campaign_file
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.lying import all_lying
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.plan.actions import ArchiveCampaign, RestoreCampaign
from state.archive_summary import archive_summary
from state.atomic import ensure_folder, move_folder, remove_staging, write_file
from state.formats import encode_record
from state.homes import find_home
from state.layout import CampaignLayout
from state.store.rows import CampaignRow, JobRow, LedgerRow, RunRow
from state.store.tables import put, select


def archive(action: ArchiveCampaign, tools: Tools) -> str:
    """Write the final metrics, move the campaign without unfinished saves, and write that down.

    Raises:
        Temporary: it is active or a run of it is not over; the plan was made before.
        Permanent: something has its place in the archive, or its folder is nowhere.
    """
    row = _begin_archiving(action, tools)
    unfinished = find_home(tools.layout, row).places.checkpoints
    remove_staging(unfinished)  # no trainer lives that could go on with it
    write_summary(tools, row)
    _move(tools, row, archived=True)
    return f"{tools.layout.campaign(row.folder_name, archived=True).folder.relative_to(tools.layout.root)}"


def restore(action: RestoreCampaign, tools: Tools) -> str:
    """Move the campaign out of the archive, paused.

    Raises:
        Permanent: something has its place, or its folder is nowhere.
    """
    with tools.writer.transaction() as store:
        row = campaign_row(store, action.campaign_uid, action.campaign)
    _move(tools, row, archived=False)
    return "paused"


def _begin_archiving(action: ArchiveCampaign, tools: Tools) -> CampaignRow:
    with tools.writer.transaction() as store:
        row = campaign_row(store, action.campaign_uid, action.campaign)
        if row.status == "active":
            raise Temporary(f"{row.name} is active; the plan makes another one active, or none, before")
        if select(store, RunRow, "WHERE campaign_uid = ? AND state != 'ended'", row.uid):
            raise Temporary(f"a run of {row.name} is not over; it is archived after")
        row = msgspec.structs.replace(row, archived_at=row.archived_at or tools.now())
        put(store, [row])
    return row


def write_summary(tools: Tools, row: CampaignRow) -> None:
    """Write the final metrics of a campaign into its folder.

    Raises:
        Permanent: its folder is nowhere.
    """
    with tools.writer.transaction() as store:
        ledger = select(store, LedgerRow, "WHERE campaign_uid = ? ORDER BY sequence", row.uid)
        runs = select(store, RunRow, "WHERE campaign_uid = ?", row.uid)
        jobs = select(store, JobRow, "WHERE campaign_uid = ?", row.uid)
    home = find_home(tools.layout, row)
    if home.state == "missing":
        raise Permanent(f"{home.places.folder} is not there; bring it back from a copy, nothing was written")
    record = archive_summary(row, ledger, runs, jobs)
    write_file(home.places.archive_summary, encode_record(record))


def _move(tools: Tools, row: CampaignRow, *, archived: bool) -> None:
    """Bring folder, sidecars, row, ledger paths and campaign.json to one side, whatever is there already."""
    source = tools.layout.campaign(row.folder_name, archived=not archived)
    target = tools.layout.campaign(row.folder_name, archived=archived)
    _move_folder(source.folder, target, row)
    _rewrite_sidecars(tools, row, source.folder, target)
    with tools.writer.transaction() as store:
        row = campaign_row(store, row.uid, row.name)
        at = row.archived_at if archived else None
        put(
            store, [msgspec.structs.replace(row, status="archived" if archived else "paused", archived_at=at)]
        )
        _rewrite_paths(store, tools, row, source.folder, target.folder)
    write_campaign_file(tools, row.uid, row.name)
    write_status_files(tools, row.uid, row.name)


def _move_folder(source: Path, target: CampaignLayout, row: CampaignRow) -> None:
    if not source.exists() and _is_of(row, target):
        return  # moved before
    ensure_folder(target.folder.parent)
    try:
        move_folder(source, target.folder)
    except FileExistsError:
        raise Permanent(
            f"{target.folder} lies there already, so {source} was not moved: nothing is put over it or into "
            "it; move it somewhere else"
        ) from None


def _is_of(row: CampaignRow, target: CampaignLayout) -> bool:
    """Does its folder lie there? campaign.json may be missing: a kill came before it was written."""
    said = read_existing(target.record).get("uid")
    return said == row.uid or (said is None and target.folder.is_dir())


def _rewrite_sidecars(tools: Tools, row: CampaignRow, source: Path, target: CampaignLayout) -> None:
    """Let the sidecar of each checkpoint say where it lies now, as its ledger row will."""
    for found in all_lying(tools, row.uid, target):
        with tools.writer.transaction() as store:
            ledger = row_in_force(store, row.uid, found.manifest.segment, found.step)
        if ledger is not None and ledger.digest == found.manifest.digest and ledger.damage is None:
            path = _moved(ledger.path, tools, source, target.folder)
            write_sidecar(Path(found.path), msgspec.structs.replace(ledger, path=path), row.name)


def _rewrite_paths(
    store: apsw.Connection, tools: Tools, row: CampaignRow, source: Path, target: Path
) -> None:
    ledger = select(store, LedgerRow, "WHERE campaign_uid = ?", row.uid)
    put(store, [msgspec.structs.replace(one, path=_moved(one.path, tools, source, target)) for one in ledger])


def _moved(path: str, tools: Tools, source: Path, target: Path) -> str:
    """Return a path below the root as it is after the move; one of another place stays."""
    before = f"{source.relative_to(tools.layout.root)}/"
    if not path.startswith(before):
        return path
    return f"{target.relative_to(tools.layout.root)}/{path.removeprefix(before)}"
