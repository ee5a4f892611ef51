"""How the realm's store is: whole, an older copy, damaged or lost; copied lately; and who holds its lock."""

from collections.abc import Iterator

import apsw

from reconciler.app.checking.checks import Check, Fix, fail, ok, warn
from reconciler.app.checking.store_copies import late_copies
from reconciler.app.surroundings.lock_holder import holder_of
from reconciler.app.surroundings.realm_store import (
    check_store_is_there,
    newest_copy,
    why_older_or_anothers,
)
from state.amounts import count
from state.layout import Layout
from state.lock import read_epoch
from state.store.connection import StoreDamaged, is_store_there, open_reader
from state.store.older_copy import last_written
from state.store.row_files import lost_row_files, refuse_newer_rows
from state.store.rows import StoreView
from state.store.schema import StoreTooNew
from state.store.troubles import in_words
from state.store.view import read_view

REBUILD, COPY = Fix(does="rebuild"), Fix(does="copy")
_OUT_OF_REACH = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.FullError,
    apsw.CantOpenError,
    apsw.PermissionsError,
    apsw.AuthError,
    apsw.IOError,
)
"""What SQLite says where it could not read: nothing is known against the store, and a person looks first."""


def check_store(layout: Layout) -> Check:
    """Say how the store is, page by page, and what makes it again."""
    try:
        epoch = read_epoch(layout.epoch)
    except ValueError as error:
        sentence, _, mend = str(error).partition("; ")
        return fail("store", sentence, mend or f"move {layout.epoch} away")
    return _check_store(layout, epoch)


def _check_store(layout: Layout, epoch: int) -> Check:
    try:
        refuse_newer_rows(layout.row_files)
        check_store_is_there(layout)
        last = last_written(epoch, layout.written, layout.witness)  # before the store: it is written first
        with open_reader(layout.store) as connection:
            problems = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            store = read_view(connection)
            why = store.older_copy or why_older_or_anothers(layout, connection, last)
            late = late_copies(layout, connection) if problems == ["ok"] else None
    except FileNotFoundError:
        return ok("store", "none yet; the first apply makes it")
    except StoreTooNew as error:
        return fail("store", str(error), "go on with the version that wrote it, or with a newer one")
    except (StoreDamaged, apsw.Error) as error:
        if isinstance(error, _OUT_OF_REACH) and layout.store.is_file():
            sentence, mend = in_words(error, layout.store).split("; ", 1)
            return fail("store", sentence, mend)
        return fail("store", str(error), _how_to_restore(layout), REBUILD)
    if problems != ["ok"]:
        return fail("store", f"damaged: {'; '.join(problems)}", _how_to_restore(layout), REBUILD)
    return _whole_store(layout, store, why, late)


def _whole_store(layout: Layout, store: StoreView, why_older: str | None, late: str | None) -> Check:
    if why_older is not None:
        return warn(
            "store",
            f"an older copy that was put back ({why_older}): it does not know what happened since",
            "reconcile doctor --rebuild makes it again from the files beside it, which know more",
            REBUILD,
        )
    states = ", ".join(sorted({job.status for job in store.jobs}))
    jobs = count(len(store.jobs), "job") + (f" ({states})" if states else "")
    text = f"whole; epoch {store.epoch}, {count(len(store.runs), 'run')}, {jobs}"
    if late is not None:
        mend = f"apply makes one a day, and says why not: look at the room and the rights of {layout.backups}"
        return warn("store", f"{text}; {late}", mend, COPY)
    return ok("store", text)


def _how_to_restore(layout: Layout) -> str:
    return f"reconcile doctor --rebuild makes it again from the files beside it{newest_copy(layout)}"


def check_row_files(layout: Layout) -> Iterator[Check]:
    """Name what is gone of the files from which a lost store is made again; the store is whole."""
    if not is_store_there(layout.store):
        return
    with open_reader(layout.store) as connection:
        lost = lost_row_files(layout.row_files, connection)
    if lost:
        more = f" and {len(lost) - 1:,} more" if len(lost) > 1 else ""
        sentence = f"gone: {lost[0]}{more}; without that a lost store would not be made again as it was"
        yield warn(
            "files", sentence, "end apply, then: reconcile doctor --rebuild, which writes them again", REBUILD
        )


def check_lock(layout: Layout) -> Check:
    """Say who is at work in the root."""
    holder = holder_of(layout.lock)
    if holder is None:
        return ok("lock", "free: no reconciler is running")
    return ok("lock", f"held by pid {holder.pid} on {holder.host} since {holder.since}: {holder.command}")
