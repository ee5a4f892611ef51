"""Take office as the one reconciler of a root: lock, store, epoch, and a broom for what a kill left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.act.journal import close_orphans
from state.atomic import ensure_folder, remove_staging
from state.layout import Layout
from state.lock import hold_lock, mirror_epoch, read_epoch
from state.store.connection import open_writer
from state.store.rows import CampaignRow
from state.store.tables import select
from state.store.writer import Writer


@contextmanager
def take_office(
    layout: Layout, *, command: str, now: Callable[[], str], lock_timeout_seconds: float = 0.0
) -> Iterator[Writer]:
    """Hold the realm's lock and its store for the length of the block.

    Raises:
        LockHeld: another reconciler holds the lock; says who and since when.
        StoreDamaged, StoreTooNew: the store cannot be used.
    """
    with hold_lock(layout.lock, command=command, since=now(), timeout_seconds=lock_timeout_seconds):
        ensure_folder(layout.root)
        writer = Writer(open_writer(layout.store), read_epoch(layout.epoch))
        try:
            mirror_epoch(layout.epoch, writer.epoch)
            close_orphans(writer, now())
            _sweep(layout, writer)
            yield writer
        finally:
            writer.close()


def _sweep(layout: Layout, writer: Writer) -> None:
    """Remove unfinished files from the folders in which nobody but the reconciler works."""
    with writer.transaction() as store:
        campaigns = [layout.campaign(row.name) for row in select(store, CampaignRow)]
    ours = [layout.lock.parent, layout.data, layout.campaigns, layout.job_history.parent]
    for campaign in campaigns:
        ours += [campaign.folder, campaign.logs, campaign.status]
    for folder in ours:
        remove_staging(folder)
