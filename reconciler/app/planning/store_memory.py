"""What the realm's store said last, while nobody writes to it: a loop over many campaigns looks often.

Of the first look nothing is remembered: most commands look once.
"""

from reconciler.app.surroundings.realm_store import read_store
from state.layout import Layout
from state.store.rows import StoreView
from state.store.standing import Mark, Standing


class StoreMemory:
    """Reads one root's store."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._standing = Standing(layout.store)
        self._has_looked = False
        self._known: tuple[Mark, StoreView] | None = None

    def read(self) -> StoreView:
        """Return everything that the store says; raises as `read_store` does."""
        mark = self._standing.mark() if self._has_looked else None
        self._has_looked = True
        if mark is not None and self._known is not None and self._known[0] == mark:
            return self._known[1]
        view = read_store(self._layout)
        self._known = (mark, view) if mark is not None else None
        return view

    def close(self) -> None:
        """Let go of the store."""
        self._standing.close()
