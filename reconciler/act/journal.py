"""The journal: what was begun is written before it is done, and how it ended after."""

import apsw
import msgspec

from reconciler.plan.changes import Change
from state.atomic import sync_everything
from state.layout import Layout
from state.store.journal_rows import BROKEN_OFF, ActionRow, ActionState
from state.store.tables import get_meta, put, put_meta, select
from state.store.writer import Writer

SYNCED = "synced_number"
"""In the store: up to which number the effects of actions that failed were made durable."""


class Journal:
    """Writes the store's actions, one row for each time that a change is performed."""

    def __init__(self, writer: Writer, specs_commit: str, plan_digest: str | None = None) -> None:
        self._writer = writer
        self._specs_commit = specs_commit
        self._plan_digest = plan_digest
        self._is_said = False

    def begin(self, change: Change, at: str) -> ActionRow:
        """Write down that the change is about to be done."""
        with self._writer.transaction() as store:
            row = ActionRow(
                number=_next_number(store),
                id=change.id,
                kind=type(change.action).__name__,
                subject=change.subject,
                payload_json=msgspec.json.encode(change.action).decode(),
                reason=change.reason,
                cause=change.cause,
                specs_commit=self._specs_commit,
                state="intent",
                epoch=self._writer.epoch,
                begun_at=at,
                plan_digest=self._plan_digest,
            )
            put(store, [row])
        return row

    def say_begun(self) -> None:
        """Say beside the store that it is written further than any copy of it; once is enough."""
        if not self._is_said:
            self._writer.mirror()
            self._is_said = True

    def end(
        self, row: ActionRow, state: ActionState, outcome: str, at: str, *, permanent: bool = False
    ) -> None:
        """Write down how it ended."""
        with self._writer.transaction() as store:
            ended = msgspec.structs.replace(
                row, state=state, outcome=outcome, ended_at=at, permanent=permanent
            )
            put(store, [ended])


def close_orphans(writer: Writer, at: str) -> int:
    """Close the intents that a kill left open; return how many.

    They need no replay: planning looks at the world and finds what is left to do.
    """
    with writer.transaction() as store:
        orphans = select(store, ActionRow, "WHERE state = 'intent'")
        put(
            store,
            [
                msgspec.structs.replace(row, state="failed", outcome=BROKEN_OFF, ended_at=at)
                for row in orphans
            ],
        )
    return len(orphans)


def make_durable_after_failure(writer: Writer, layout: Layout) -> None:
    """Sync the root's file system where an action did not come to its end since the last time.

    It may have been stopped between an effect and its fsync. The next try finds the effect there and goes on
    from it, so a power cut must not take it back any more.

    Raises:
        OSError: something could not be written.
    """
    with writer.transaction() as store:
        synced = int(get_meta(store, SYNCED) or 0)
        where = "SELECT 1 FROM actions WHERE number > ? AND state = 'failed' LIMIT 1"
        if store.execute(where, (synced,)).fetchone() is None:
            return
        newest = _next_number(store) - 1
    sync_everything(layout.root)
    with writer.transaction() as store:
        put_meta(store, SYNCED, str(newest))


def _next_number(store: apsw.Connection) -> int:
    (newest,) = store.execute("SELECT coalesce(max(number), 0) FROM actions").fetchone() or (0,)
    return int(newest) + 1
