"""Pins and tags: into the ledger, then into the sidecar that lies with the checkpoint."""

from pathlib import Path

from reconciler.act.checkpoints import write_sidecar
from reconciler.act.errors import Permanent
from reconciler.act.lying import find_lying
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.plan.actions import MarkCheckpoint
from reconciler.plan.actions.base import name_of
from state.store.marks import with_marks
from state.store.rows import LedgerRow
from state.store.tables import put, select_one


def mark(action: MarkCheckpoint, tools: Tools) -> str:
    """Write what people protected the checkpoint by into its row, its sidecar and the campaign's ledger file.

    Raises:
        Permanent: the ledger does not know it.
    """
    with tools.writer.transaction() as store:
        row = select_one(store, LedgerRow, "WHERE sequence = ?", action.sequence)
        if row is None:
            raise Permanent(f"checkpoint {name_of(action)}: the ledger has no such row")
        row = with_marks(row, action.marks)
        put(store, [row])
    found = find_lying(tools, action.campaign_uid, action.campaign, row.digest)
    if found is not None:
        write_sidecar(Path(found.path), row, action.campaign)
    write_status_files(tools, action.campaign_uid, action.campaign)
    return _words(action)


def _words(action: MarkCheckpoint) -> str:
    words = (["pinned"] if action.marks.pinned else []) + [f"tagged {tag}" for tag in action.marks.tags]
    return ", ".join(words)
