"""How it is with a realm's store: whole, an older copy, damaged, gone, or never made."""

from typing import Literal, NamedTuple

import apsw

from reconciler.plan.trash.names import dropped_name
from state.layout import Layout
from state.lock import read_epoch
from state.store.connection import StoreDamaged, is_store_there, open_reader
from state.store.older_copy import last_written, why_older
from state.store.rows import StoreView
from state.store.traces import lost_store
from state.store.view import read_view

StoreCondition = Literal["whole", "older", "damaged", "gone", "none"]


class StoreState(NamedTuple):
    condition: StoreCondition
    why: str
    """In words; empty of a whole one."""


def state_of_store(layout: Layout) -> StoreState:
    """Return how it is; reads every page.

    Raises:
        StoreTooNew: a newer version wrote it.
        apsw.BusyError, apsw.LockedError: another program has it locked.
        ValueError: the epoch's mirror is damaged.
    """
    if not is_store_there(layout.store):
        trace = lost_store(layout)
        gone = (
            f"{layout.store} is gone or empty, but this root was in use (see {trace.place})" if trace else ""
        )
        return StoreState("gone" if trace else "none", gone)
    last = last_written(read_epoch(layout.epoch), layout.written, layout.witness)
    try:
        with open_reader(layout.store) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
            view = read_view(connection)
            behind = why_older(connection, last)
    except (apsw.BusyError, apsw.LockedError):
        raise  # nothing is known against it
    except (StoreDamaged, apsw.Error) as error:
        return StoreState("damaged", str(error))
    if found != ["ok"]:
        return StoreState("damaged", "; ".join(found))
    why = f": {behind}" if behind is not None else _why_older(view, layout)
    return StoreState("older", f"an older copy that was put back{why}") if why else StoreState("whole", "")


def _why_older(view: StoreView, layout: Layout) -> str | None:
    """Say what in the store or the trash shows that it is an older copy; None: nothing shows it."""
    if view.older_copy is not None:
        return f", and used since: {view.older_copy}"
    if unknown := _drops_unknown_to(view, layout):
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        return f": it knows of no drop of {unknown[0]}{more}"
    return None


def _drops_unknown_to(view: StoreView, layout: Layout) -> list[str]:
    """Return what lies in the trash with a tombstone that the store does not have, which has each first."""
    known = {f"{stone.path.rpartition('/')[2]}.json" for stone in view.trash}
    found = {file.name for file in layout.trash.glob("*.json")} - known
    names = sorted(name.removesuffix(".json") for name in found)
    rows = {dropped_name(row): row.which for row in view.ledger}
    return [f"checkpoint {rows[name]}" for name in names if name in rows and (layout.trash / name).is_dir()]
