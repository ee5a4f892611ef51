"""What planning reads from the store, in one transaction."""

import apsw

from state.store.rows import (
    CampaignRow,
    JobRow,
    LedgerRow,
    QuestDataRow,
    RequestRow,
    RunRow,
    StoreView,
)
from state.store.tables import get_meta, select


def read_view(connection: apsw.Connection) -> StoreView:
    """Return everything that planning needs, as of one moment."""
    connection.execute("BEGIN")
    try:
        return StoreView(
            realm_uid=get_meta(connection, "realm_uid") or "",
            epoch=int(get_meta(connection, "epoch") or 0),
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
        )
    finally:
        connection.execute("END")
