"""Nothing is left to do at a commit: this is kept in the store, noted on the commit and told, once each."""

from reconciler.app.applying.applied_notes import note_applied
from reconciler.app.applying.bookkeeping import Bookkeeper
from reconciler.app.applying.following import Begun
from reconciler.app.applying.telling import Show
from reconciler.app.planning.look import View
from reconciler.plan.changes import NAMES_IN_DOUBT
from state.store.tables import put_meta
from state.store.writer import Writer


class Convergence:
    """Remembers of which commit it was noted and told already."""

    def __init__(self, begun: Begun, host: str, writer: Writer, books: Bookkeeper, show: Show) -> None:
        self._begun, self._host, self._writer = begun, host, writer
        self._books, self._show = books, show
        self._noted_commit: str | None = None
        self._told_commit: str | None = None
        self._told_trouble: str | None = None
        """Why no note could be left, as it was told last."""

    def reached(self, view: View) -> None:
        """Take down that nothing is left to do at the view's commit; what is left out is left to do."""
        if view.plan.left_out:
            return
        is_whole = not any(item.code in NAMES_IN_DOUBT for item in view.plan.blocked)
        if is_whole and view.facts.store.applied_commit != view.commit.id:
            self._record(view)
        if is_whole and self._noted_commit != view.commit.id:
            self._note(view)
        if self._told_commit != view.commit.id:
            self._told_commit = view.commit.id
            self._show.settled(view)

    def _record(self, view: View) -> None:
        with self._writer.transaction() as store:
            put_meta(store, "applied_commit", view.commit.id)
            put_meta(store, "applied_at", view.seen_at)
        self._books.write_rows()

    def _note(self, view: View) -> None:
        """Leave a git note on the commit; where that fails, say so once and try again: nothing needs it."""
        realm = view.desired.realm.spec.id
        following, layout = self._begun.following, self._begun.layout
        why = note_applied(following, view.commit, layout, realm, self._host, view.seen_at)
        if why is None:
            self._noted_commit = view.commit.id
        elif why != self._told_trouble:
            self._told_trouble = why
            self._show.notice(why)
