"""Write again what is derived from the store: records, status files, sidecars, pointer, tombstones, views."""

from collections.abc import Callable

from reconciler.act.checkpoints import write_sidecar
from reconciler.act.derived import write_campaign_file, write_pointer_files
from reconciler.act.queue_folders import write_queue_folders
from reconciler.act.saga import restore_sagas
from reconciler.act.status_files import write_status_files
from reconciler.act.tombstones import mirror
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import one_checkpoint
from reconciler.observed.folders import UnsafeFile
from reconciler.observed.records import FoundCheckpoint
from state.inside import InTheWay
from state.store.owed_rows import REALM, owe_rows
from state.store.row_files import settle_row_files
from state.store.rows import CampaignRow, LedgerRow, ManifestRow, TrashRow
from state.store.tables import select


def write_derived(tools: Tools) -> tuple[str, ...]:
    """Write every derived file from what the store says; return what could not be written, and why."""
    with tools.writer.transaction() as store:
        campaigns, ledger = select(store, CampaignRow), select(store, LedgerRow, "ORDER BY sequence")
        stones, manifests = select(store, TrashRow), select(store, ManifestRow)
        owe_rows(store, [REALM, *(row.uid for row in campaigns), *(row.digest for row in manifests)])
    names = {row.uid: row.name for row in campaigns}
    problems: list[str] = []

    def attempt(what: str, write: Callable[..., object], *about: object) -> None:
        try:
            write(tools, *about)
        except (InTheWay, UnsafeFile) as error:
            problems.append(f"{what}: {error}")

    for row in campaigns:
        if row.status != "deleted":
            attempt(row.name, write_campaign_file, row.uid, row.name)
            attempt(row.name, write_status_files, row.uid, row.name)
    for one in {(row.campaign_uid, row.segment, row.step): row for row in ledger}.values():
        attempt(one.path, _write_sidecar, one, names[one.campaign_uid])
    for stone in stones:
        attempt(stone.path, mirror, stone)
    attempt("the active pointer", write_pointer_files)
    restore_sagas(tools.layout, tools.writer)
    write_queue_folders(tools.layout, tools.writer)
    settle_row_files(tools.layout.row_files, tools.writer)
    return tuple(problems)


def _write_sidecar(tools: Tools, row: LedgerRow, campaign: str) -> None:
    """Write what the ledger says beside a checkpoint, where that lies whole at its place."""
    folder = tools.layout.root / row.path
    if row.damage is None and folder.is_dir():
        found = one_checkpoint(folder)
        if isinstance(found, FoundCheckpoint) and found.manifest.digest == row.digest:
            write_sidecar(folder, row, campaign)
