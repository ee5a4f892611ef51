"""What follows from the store and is brought up to it after each tick; the store's own upkeep, once a day.

Called by `ticking` after the actions of a tick. What fails is tried again after the next one.
"""

from collections.abc import Callable

import apsw

from reconciler.act.queue_folders import write_queue_folders
from reconciler.act.saga import settle_sagas
from reconciler.act.trimming import trim_journal
from reconciler.app.applying.telling import Show
from state.layout import Layout
from state.store.connection import StoreDamaged
from state.store.row_files import settle_row_files
from state.store.writer import Writer


class Bookkeeper:
    """Writes the campaigns' histories, the queue's folders and the files of rows, and copies the store."""

    def __init__(self, layout: Layout, writer: Writer, now: Callable[[], str], show: Show) -> None:
        self._layout, self._writer, self._now, self._show = layout, writer, now, show
        self._is_behind = True
        """At first too: a kill may have left something."""
        self._backed_up: str | None = None
        """The day of the last copy of the store that was made or tried."""

    def catch_up(self, *, has_acted: bool) -> None:
        """Write what follows from the store, where an action, or an earlier failure, left it behind."""
        self._is_behind = self._is_behind or has_acted
        if self._is_behind:
            settle_sagas(self._layout, self._writer)
            write_queue_folders(self._layout, self._writer)
            self.write_rows()
            self._is_behind = False
        if has_acted:
            self._back_up()

    def write_rows(self) -> None:
        """Write the files that say the store's rows again, where rows changed since."""
        settle_row_files(self._layout.row_files, self._writer)

    def _back_up(self) -> None:
        """Bound the journal and copy the store, once a day; a disk without room must not stop the loop."""
        day = self._now().partition("T")[0]
        if self._backed_up == day:
            return
        self._backed_up = day
        try:
            trim_journal(self._writer)
            self._writer.back_up(self._layout.backups, day)
        except (OSError, apsw.Error, StoreDamaged) as error:
            self._show.notice(f"no copy of the store was made today: {error}; the others are as they were")
