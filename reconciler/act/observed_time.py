"""Observed time and clean ticks: written down while something waits in the trash for its time to pass."""

import apsw
import msgspec

from reconciler.act.tools import Tools
from reconciler.plan.observed_time import elapsed_seconds
from reconciler.plan.trash.purges import CLEAN_TICKS
from state.moments import BootMoment
from state.store.rows import StoreView
from state.store.tables import get_meta, put_meta
from state.store.view import read_boot
from state.store.writer import Writer

LEAST_SECONDS = 60.0
"""So much must have passed before it is written again."""


def pass_time(
    writer: Writer,
    store: StoreView,
    now: str,
    boot: BootMoment | None = None,
    *,
    is_clean: bool,
    has_acted: bool,
) -> bool:
    """Add the time since the last count, and the tick when it was clean.

    Where nothing waits in the trash and nothing was done, nothing is written; what passes meanwhile counts
    for a day at most. Return whether something in the trash has seen its last clean tick by this count: then
    the next plan may delete it.
    """
    waits = any(stone.state == "trashed" for stone in store.trash)
    elapsed = elapsed_seconds(store.observed_at, now, store.observed_boot, boot)
    is_due = store.observed_at is None or elapsed >= LEAST_SECONDS or now < store.observed_at
    if not has_acted and not (waits and is_due):
        return False
    with writer.transaction() as connection:
        put_meta(connection, "observed_seconds", repr(store.observed_seconds + elapsed))
        put_meta(connection, "observed_at", now)
        put_meta(connection, "observed_boot", msgspec.json.encode(boot).decode() if boot else "")
        put_meta(connection, "clean_ticks", str(store.clean_ticks + is_clean))
    last = store.clean_ticks + 1 - CLEAN_TICKS
    return is_clean and any(one.state == "trashed" and one.clean_ticks == last for one in store.trash)


def observed_seconds(connection: apsw.Connection, tools: Tools) -> float:
    """Return the realm's observed time, as it is now."""
    counted = float(get_meta(connection, "observed_seconds") or 0)
    since, since_boot = get_meta(connection, "observed_at"), read_boot(connection)
    return counted + elapsed_seconds(since, tools.now(), since_boot, tools.boot())
