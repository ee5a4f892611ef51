"""Take office as the one reconciler of a root: store, epoch, and a broom for what a kill left."""

from contextlib import suppress

from reconciler.act.journal import close_orphans, make_durable_after_failure
from reconciler.act.older_store import newest_numbered
from state.atomic import ensure_folder, remove_staging
from state.homes import find_home
from state.inside import stay_inside
from state.layout import Layout
from state.lock import mirror_epoch, read_epoch
from state.queue_folders import FOLDERS
from state.store.connection import open_writer
from state.store.older_copy import last_written, why_older
from state.store.row_files import row_folders
from state.store.rows import CampaignRow
from state.store.tables import select
from state.store.writer import Writer


def enter_office(layout: Layout, now: str) -> Writer:
    """Open the store as its one writer, above every epoch before; the caller holds the realm's lock.

    What a kill left is put right: open intents are closed, unfinished files removed.

    Raises:
        StoreDamaged: the file is no database.
        StoreTooNew: a newer version wrote it.
        ValueError: the epoch's mirror is damaged.
        OSError: the disk is full or failing.
    """
    stay_inside(layout.root)
    ensure_folder(layout.root)
    writer = _writer(layout)
    try:
        mirror_epoch(layout.epoch, writer.epoch)
        close_orphans(writer, now)
        make_durable_after_failure(writer, layout)  # what is swept may be all that a power cut would leave
        _sweep(layout, writer)
    except BaseException:
        writer.close()
        raise
    return writer


def _writer(layout: Layout) -> Writer:
    """Open the store; an older copy learns which numbers of checkpoints were used since."""
    connection, last = open_writer(layout.store), last_written(read_epoch(layout.epoch), layout.written)
    newest = newest_numbered(layout) if why_older(connection, last) else None
    return Writer(connection, last, newest.sequence if newest else None, mirror=layout.written)


def _sweep(layout: Layout, writer: Writer) -> None:
    """Remove unfinished files from the folders in which nobody but the reconciler works."""
    with writer.transaction() as store:
        campaigns = [find_home(layout, row).places for row in select(store, CampaignRow)]
    ours = [
        layout.root,
        layout.lock.parent,
        layout.data,
        layout.campaigns,
        layout.trash,
        layout.job_history.parent,
    ]
    ours += [layout.queue / folder for folder in FOLDERS]
    ours += row_folders(layout.row_files)
    for campaign in campaigns:
        ours += [campaign.folder, campaign.logs, campaign.status]
    for folder in ours:
        with suppress(OSError):  # the plan names it; nothing of ours lies behind it, or it cannot be reached
            remove_staging(folder)
