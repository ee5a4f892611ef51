"""Requests: the one thing that others than the reconciler write to the store."""

import apsw

from state.store.rows import RequestRow
from state.store.tables import put, select_one


def ask(
    connection: apsw.Connection,
    *,
    kind: str,
    campaign: str,
    by: str,
    why: str,
    at: str,
    quest: str | None = None,
    approves_json: str | None = None,
    details_json: str | None = None,
) -> int:
    """Leave a request for the reconciler and return its number."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM requests").fetchone() or (0,)
        row = RequestRow(
            id=newest + 1,
            kind=kind,  # type: ignore[arg-type]  # checked by the caller's command
            campaign=campaign,
            asked_by=by,
            why=why,
            asked_at=at,
            quest=quest,
            approves_json=approves_json,
            details_json=details_json,
        )
        put(connection, [row])
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return row.id


def find(connection: apsw.Connection, request_id: int) -> RequestRow | None:
    """Return the request with this number."""
    return select_one(connection, RequestRow, "WHERE id = ?", request_id)
