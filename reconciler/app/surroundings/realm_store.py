"""The realm's store as a verb meets it: read, or refused in words that say what to do."""

import apsw
import msgspec

from reconciler.app.surroundings.errors import Failed
from state.layout import Layout
from state.lock import read_epoch
from state.store.connection import StoreDamaged, open_reader
from state.store.older_copy import is_of_another_root, last_written, read_written, why_older, written
from state.store.rows import StoreView
from state.store.tables import get_meta
from state.store.troubles import in_words
from state.store.view import read_view


def read_store(layout: Layout) -> StoreView:
    """Return everything that the realm's store says.

    Raises:
        FileNotFoundError: nothing was ever applied to this root.
        StoreDamaged: the store was there once and is gone, or it cannot be read.
        StoreTooNew: a newer version wrote it.
    """
    check_store_is_there(layout)
    last = last_written(_mirrored_epoch(layout), layout.written)  # before the store: it is written first
    try:
        with open_reader(layout.store) as connection:
            view = read_view(connection)
            why = why_older(connection, last)
    except apsw.Error as error:
        raise StoreDamaged(in_words(error, layout.store)) from error
    return view if why is None else msgspec.structs.replace(view, older_copy=why)


def _mirrored_epoch(layout: Layout) -> int:
    """Return the epoch of the last writer; 0 where its file is damaged, which apply refuses by name."""
    try:
        return read_epoch(layout.epoch)
    except (OSError, ValueError):
        return 0


def check_ours(layout: Layout, realm_id: str) -> None:
    """Refuse the root of another realm, or with the store of another root, before anything is written in it.

    A new root is nobody's.

    Raises:
        Failed: its store, or the file beside it, says whose it is.
    """
    try:
        with open_reader(layout.store) as connection:
            known, found = get_meta(connection, "realm_id"), written(connection)
    except (FileNotFoundError, StoreDamaged, apsw.Error):
        return  # who takes office says what is wrong with it
    if known not in (None, realm_id):
        raise Failed(
            f"the root {layout.root} belongs to realm {known}, not {realm_id}; give another --root; "
            f"or, if {layout.store} is not the store that was made here, put that one back"
        )
    if is_of_another_root(found, read_written(layout.written)):
        raise Failed(
            f"{layout.store} is not the store that was written here last (see {layout.written}), "
            "but that of another root: nothing was done; put this root's own back, or let "
            "reconcile doctor --rebuild make it again from the files beside it"
        )


def newest_copy(layout: Layout) -> str:
    """Return where the newest copy of the store lies, in brackets; nothing where there is none."""
    from state.store.backups import names_of

    names = names_of(layout.backups)
    return f" (the newest copy is {layout.backups / names[-1]})" if names else ""


def check_store_is_there(layout: Layout) -> None:
    """Refuse a root that had a store and has none: a new one would know no run, job or checkpoint.

    Raises:
        StoreDamaged: what the reconciler left beside the store says that there was one.
    """
    is_there = layout.store.exists() and layout.store.stat().st_size > 0
    if is_there or not layout.epoch.exists():
        return
    copy = newest_copy(layout)
    raise StoreDamaged(
        f"{layout.store} is gone or empty, but this root was in use (see {layout.epoch}); "
        f"put it back, or let reconcile doctor --rebuild make it again{copy}. "
        f"To begin anew, move {layout.root} away: nothing in it is deleted"
    )
