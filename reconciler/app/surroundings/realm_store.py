"""The realm's store as a verb meets it: read, or refused in words that say what to do."""

import apsw
import msgspec

from reconciler.app.surroundings.errors import Failed
from reconciler.plan.root import copied_root, copied_root_hint, other_realm, other_realm_hint
from state.layout import Layout
from state.lock import read_epoch
from state.store.connection import StoreDamaged, is_store_there, open_reader
from state.store.older_copy import (
    Written,
    is_of_another_root,
    last_written,
    read_written,
    why_older,
    written,
)
from state.store.root_place import copied_from, get_place
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
    epoch = _mirrored_epoch(layout)
    last = last_written(epoch, layout.written, layout.witness)  # before the store: it is written first
    try:
        with open_reader(layout.store) as connection:
            view = read_view(connection)
            why = why_older_or_anothers(layout, connection, last)
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
    """Refuse the root of another realm, a copy of one, or with another's store, before anything is written.

    A new root is nobody's.

    Raises:
        Failed: its store, or the file beside it, says whose it is.
    """
    try:
        with open_reader(layout.store) as connection:
            why = _why_not_ours(layout, connection, realm_id)
    except (FileNotFoundError, StoreDamaged, apsw.Error):
        return  # who takes office says what is wrong with it
    if why is not None:
        raise Failed(why)


def check_no_copy(layout: Layout) -> None:
    """Refuse to take a person's wish in a root that is a copy of another one: `apply` refuses the root.

    Raises:
        Failed: the root that it was copied from lies there still.
    """
    try:
        with open_reader(layout.store) as connection:
            first = copied_from(layout, get_place(connection))
    except (FileNotFoundError, StoreDamaged, apsw.Error):
        return  # nothing was applied yet; or who writes there says what is wrong with it
    if first is not None:
        raise Failed(_refused_copy(layout, first))


def _refused_copy(layout: Layout, first: str) -> str:
    root = str(layout.root)
    return f"{copied_root(root, first)}: nothing was done; {copied_root_hint(root, first)}"


def _why_not_ours(layout: Layout, connection: apsw.Connection, realm_id: str) -> str | None:
    root, first = str(layout.root), copied_from(layout, get_place(connection))
    known = get_meta(connection, "realm_id")
    if (message := other_realm(root, known, realm_id)) is not None:
        return f"{message}; {other_realm_hint(str(layout.store), known or '')}"
    if first is not None:
        return _refused_copy(layout, first)
    is_anothers = is_of_another_root(written(connection), read_written(layout.written))
    if is_anothers or _of_another_realm(layout, connection) is not None:
        return (
            f"{layout.store} is not the store that was written here last (see {layout.written}), "
            "but that of another root: nothing was done; put this root's own back, or let "
            "reconcile doctor --rebuild make it again from the files beside it"
        )
    return None


def why_older_or_anothers(layout: Layout, connection: apsw.Connection, last: Written) -> str | None:
    """Say how it shows that the store is an older copy, or that of another root; None: nothing shows it."""
    return why_older(connection, last) or _of_another_realm(layout, connection)


def _of_another_realm(layout: Layout, connection: apsw.Connection) -> str | None:
    """Say that the files beside a store are of another realm, where neither has a uid to tell them apart.

    Both are of an older version then. The uid of a realm is made where its root lay first.
    """
    if written(connection).uid is not None or read_written(layout.written).uid is not None:
        return None
    from state.store.row_files import read_realm_meta  # of stores of older versions only

    said, known = read_realm_meta(layout.row_files).get("realm_uid"), get_meta(connection, "realm_uid")
    if None in (said, known) or said == known:
        return None
    return f"or that of another root: it is of realm {known}, the files beside it are of {said}"


def newest_copy(layout: Layout) -> str:
    """Return where the newest copy of the store lies, in brackets; nothing where there is none."""
    from state.store.backups import names_of

    names = names_of(layout.backups)
    return f" (the newest copy is {layout.backups / names[-1]})" if names else ""


def check_store_is_there(layout: Layout) -> None:
    """Refuse a root that had a store and has none: a new one would know no run, job or checkpoint.

    Raises:
        StoreDamaged: what a reconciler left in the root says that there was one.
        OSError: what is in the root may not be looked at.
    """
    if is_store_there(layout.store):
        return
    from state.store.traces import lost_store  # where there is a store, nobody looks for it

    if (trace := lost_store(layout)) is None:
        return
    copy = newest_copy(layout)
    raise StoreDamaged(
        f"{layout.store} is gone or empty, but this root was in use (see {trace.place}); "
        f"put it back, or let reconcile doctor --rebuild make it again{copy}. "
        f"To begin anew, move {layout.root} away (nothing in it is deleted), then: reconcile apply --new-root"
    )
