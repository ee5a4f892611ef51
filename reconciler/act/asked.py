"""Has a person asked for something that the plan at work does not know? Then what may be broken off, is."""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet

import apsw

from state.layout import Layout
from state.store.connection import open_reader

_LOOK_SECONDS = 0.25
_OPEN = "SELECT id FROM requests WHERE handled_at IS NULL AND kind != 'checkpoint'"
"""One for a checkpoint stays open until the trainer has saved: nothing is broken off for it."""


def watch_requests(layout: Layout, known: AbstractSet[int]) -> Callable[[], bool]:
    """Return a question to ask as often as one likes; the store is looked at four times a second.

    `known` are the requests that were open when the plan was made: an approval may wait for its plan.
    """
    looked_at, found = time.monotonic(), False

    def is_asked() -> bool:
        nonlocal looked_at, found
        if not found and time.monotonic() - looked_at >= _LOOK_SECONDS:
            looked_at, found = time.monotonic(), not _open_requests(layout) <= known
        return found

    return is_asked


def _open_requests(layout: Layout) -> set[int]:
    try:
        with open_reader(layout.store) as store:
            return {number for (number,) in store.execute(_OPEN)}
    except (OSError, apsw.Error):
        return set()  # the plan's next write to the store says what is wrong; the next tick finds the request
