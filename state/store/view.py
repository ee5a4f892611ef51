"""What planning reads from the store, in one transaction."""

import apsw

from state.store.rows import (
    CampaignRow,
    FailedAction,
    JobRow,
    LedgerRow,
    QuestDataRow,
    RequestRow,
    RunRow,
    StoreView,
    TrashRow,
)
from state.store.tables import get_meta, select


def read_view(connection: apsw.Connection) -> StoreView:
    """Return everything that planning needs, as of one moment."""
    connection.execute("BEGIN")
    try:
        epoch = int(get_meta(connection, "epoch") or 0)
        return StoreView(
            realm_uid=get_meta(connection, "realm_uid") or "",
            epoch=epoch,
            active_uid=get_meta(connection, "active_uid") or None,
            activated_at=get_meta(connection, "activated_at") or None,
            applied_commit=get_meta(connection, "applied_commit") or None,
            applied_at=get_meta(connection, "applied_at") or None,
            attempted_commit=get_meta(connection, "attempted_commit") or None,
            campaigns=select(connection, CampaignRow),
            runs=select(connection, RunRow),
            jobs=select(connection, JobRow),
            quest_data=select(connection, QuestDataRow),
            ledger=select(connection, LedgerRow, "ORDER BY sequence"),
            requests=select(connection, RequestRow, "WHERE handled_at IS NULL"),
            trash=select(connection, TrashRow),
            observed_seconds=float(get_meta(connection, "observed_seconds") or 0),
            observed_at=get_meta(connection, "observed_at"),
            clean_ticks=int(get_meta(connection, "clean_ticks") or 0),
            failed_actions=_failed_actions(connection, epoch),
        )
    finally:
        connection.execute("END")


def _failed_actions(connection: apsw.Connection, epoch: int) -> tuple[FailedAction, ...]:
    """Return what failed for good in this epoch: who takes office anew tries everything again."""
    found = connection.execute(
        "SELECT id, count(*), max(ended_at), outcome FROM actions AS failed"
        " WHERE state = 'failed' AND permanent AND epoch = ? AND number >"
        " (SELECT coalesce(max(number), 0) FROM actions WHERE id = failed.id AND state = 'done')"
        " GROUP BY id ORDER BY id",
        (epoch,),
    )
    return tuple(
        FailedAction(id=id_, failures=number, last_at=last_at or "", outcome=outcome or "")
        for id_, number, last_at, outcome in found
    )
