"""Take office as the one reconciler of a root: store, epoch, and a broom for what a kill left."""

from reconciler.act.broom import Broom
from reconciler.act.journal import close_orphans, make_durable_after_failure
from reconciler.act.older_store import newest_numbered
from state.atomic import ensure_folder
from state.inside import stay_inside
from state.layout import Layout
from state.lock import mirror_epoch, read_epoch
from state.store.connection import open_writer
from state.store.older_copy import last_written, why_older
from state.store.row_files import refuse_newer_rows
from state.store.writer import Writer


def enter_office(layout: Layout, now: str, broom: Broom | None = None) -> Writer:
    """Open the store as its one writer, above every epoch before; the caller holds the realm's lock.

    What a kill left is put right: open intents are closed, unfinished files removed; the broom knows which
    could not be.

    Raises:
        StoreDamaged: the file is no database.
        StoreTooNew: a newer version wrote it, or a file of its rows.
        ValueError: the epoch's mirror is damaged.
        OSError: the disk is full or failing.
    """
    stay_inside(layout.root)
    ensure_folder(layout.root)
    refuse_newer_rows(layout.row_files)
    writer = _writer(layout)
    try:
        mirror_epoch(layout.epoch, writer.epoch)
        close_orphans(writer, now)
        make_durable_after_failure(writer, layout)  # what is swept may be all that a power cut would leave
        broom = broom or Broom(layout)
        broom.owe()
        broom.sweep(writer)
    except BaseException:
        writer.close()
        raise
    return writer


def _writer(layout: Layout) -> Writer:
    """Open the store; an older copy learns which numbers of checkpoints were used since."""
    connection = open_writer(layout.store)
    last = last_written(read_epoch(layout.epoch), layout.written, layout.witness)
    newest = newest_numbered(layout) if why_older(connection, last) else None
    number = newest.sequence if newest else None
    return Writer(connection, last, number, mirror=layout.written, witness=layout.witness)
