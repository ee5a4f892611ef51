"""How it is with a realm's store: whole, an older copy, damaged, gone, or never made."""

from typing import Literal, NamedTuple

import apsw

from state.layout import Layout
from state.lock import read_epoch
from state.store.connection import StoreDamaged, open_reader
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
        ValueError: the epoch's mirror is damaged.
    """
    epoch = read_epoch(layout.epoch)
    if not layout.store.exists() or layout.store.stat().st_size == 0:
        return StoreState("gone", f"{layout.store} is gone or empty") if epoch else StoreState("none", "")
    try:
        with open_reader(layout.store) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
            known = read_view(connection).epoch
    except (StoreDamaged, apsw.Error) as error:
        return StoreState("damaged", str(error))
    if found != ["ok"]:
        return StoreState("damaged", "; ".join(found))
    if known < epoch:
        why = f"an older copy that was put back: its epoch is {known}, the last one was {epoch}"
        return StoreState("older", why)
    return StoreState("whole", "")
