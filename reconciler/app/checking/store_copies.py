"""Whether the daily copies of the store are made: apply says once that one was not, and goes on."""

from datetime import date
from typing import Literal

import apsw

from state.layout import Layout
from state.store.backups import day_of, names_of

_LATE_DAYS = 2
"""So many days of work without a copy are no kill between an action and the copy after it."""


def late_copies(layout: Layout, store: apsw.Connection) -> str | None:
    """Return since when the store is written and not copied, in words; None: a copy is of its last days."""
    first, last = _day(store, "ASC"), _day(store, "DESC")
    if first is None or last is None:
        return None
    names = names_of(layout.backups)
    newest = day_of(names[-1]) if names else None
    if (date.fromisoformat(last) - date.fromisoformat(newest or first)).days < _LATE_DAYS:
        return None
    copied = f"since {newest}" if newest else f"at all, since {first}"
    return f"no copy of it was made {copied}, and it was written until {last}"


def _day(store: apsw.Connection, order: Literal["ASC", "DESC"]) -> str | None:
    """Return the day of the first action in the journal, or of the last, by number: clocks jump."""
    row = store.execute(f"SELECT begun_at FROM actions ORDER BY number {order} LIMIT 1").fetchone()  # noqa: S608
    return str(row[0]).partition("T")[0] if row is not None else None
