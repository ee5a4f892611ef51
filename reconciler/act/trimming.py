"""A bound for the journal: of its older rows those go from which nothing is read any more.

What sagas tell stays for ever, as the ledger does, and a saga that is gone can be written anew. Failures for
good stay, too, until the same has succeeded: they are counted. The rest, such as turns of a scrub, tries that
failed and files that were written again, would grow as long as a realm lives.
"""

from reconciler.act.journal import SYNCED
from reconciler.act.saga import MARK
from reconciler.act.saga_events import NO_EVENTS
from state.store.tables import get_meta
from state.store.writer import Writer

KEPT_ROWS = 20_000
"""So many of the newest stay whatever they say: some tens of megabytes."""
_FOR_GOOD = (
    "DELETE FROM actions WHERE number < ? AND number <= ? AND state = 'failed' AND permanent AND EXISTS"
    " (SELECT 1 FROM actions AS later WHERE later.id = actions.id AND later.state = 'done'"
    " AND later.number > actions.number)"
)
_TRIED_AGAIN = "DELETE FROM actions WHERE number < ? AND number <= ? AND state = 'failed' AND NOT permanent"
_WITHOUT_NEWS = "DELETE FROM actions WHERE number < ? AND number <= ? AND state = 'done' AND kind = ?"


def trim_journal(writer: Writer, kept_rows: int = KEPT_ROWS) -> int:
    """Let the older rows go that nobody needs; return how many went.

    Raises:
        LostLock: a later writer has taken over.
        apsw.Error: the disk is full or failing; nothing went.
    """
    with writer.transaction() as store:
        (newest,) = store.execute("SELECT coalesce(max(number), 0) FROM actions").fetchone() or (0,)
        told, synced = (int(get_meta(store, key) or 0) for key in (MARK, SYNCED))
        before, bound = store.total_changes(), int(newest) - kept_rows + 1
        store.execute(_FOR_GOOD, (bound, synced))
        store.execute(_TRIED_AGAIN, (bound, synced))
        for kind in sorted(NO_EVENTS):
            store.execute(_WITHOUT_NEWS, (bound, told, kind))
        return store.total_changes() - before
