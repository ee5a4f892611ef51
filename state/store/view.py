"""What planning reads from the store, in one transaction."""

import json

import apsw
import msgspec

from state.moments import BootMoment
from state.store.older_copy import older_copy_of
from state.store.root_place import get_place
from state.store.rows import (
    CampaignRow,
    CopyRow,
    FailedAction,
    InboxRow,
    JobRow,
    LedgerRow,
    QuestDataRow,
    RequestRow,
    RunRow,
    ScrubPosition,
    SegmentRow,
    StoreView,
    TakenApproval,
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
            realm_id=get_meta(connection, "realm_id"),
            root_place=get_place(connection),
            older_copy=older_copy_of(connection),
            active_uid=get_meta(connection, "active_uid") or None,
            activated_at=get_meta(connection, "activated_at") or None,
            applied_commit=get_meta(connection, "applied_commit") or None,
            applied_at=get_meta(connection, "applied_at") or None,
            attempted_commit=get_meta(connection, "attempted_commit") or None,
            trusted_commit=get_meta(connection, "trusted_commit") or None,
            trusted_branch=get_meta(connection, "trusted_branch") or None,
            named_commit=get_meta(connection, "named_commit") or None,
            renamed_since=json.loads(get_meta(connection, "renamed_since") or "{}"),
            campaigns=select(connection, CampaignRow),
            runs=select(connection, RunRow),
            jobs=select(connection, JobRow),
            quest_data=select(connection, QuestDataRow),
            inbox=select(connection, InboxRow, "ORDER BY number, taken_at, quest_id"),
            ledger=select(connection, LedgerRow, "ORDER BY sequence"),
            requests=select(connection, RequestRow, "WHERE handled_at IS NULL"),
            approval=_approval(connection),
            segments=select(connection, SegmentRow),
            trash=select(connection, TrashRow),
            observed_seconds=float(get_meta(connection, "observed_seconds") or 0),
            observed_at=get_meta(connection, "observed_at"),
            observed_boot=read_boot(connection),
            clean_ticks=int(get_meta(connection, "clean_ticks") or 0),
            failed_actions=_failed_actions(connection),
            copies=select(connection, CopyRow),
            scrub=_scrub(connection),
        )
    finally:
        connection.execute("END")


def read_boot(connection: apsw.Connection) -> BootMoment | None:
    """Return what the boot clock said when observed time was added to last."""
    said = get_meta(connection, "observed_boot")
    return msgspec.json.decode(said, type=BootMoment) if said else None


def _approval(connection: apsw.Connection) -> TakenApproval | None:
    taken = get_meta(connection, "approval")
    return msgspec.json.decode(taken, type=TakenApproval) if taken else None


def _scrub(connection: apsw.Connection) -> ScrubPosition | None:
    position = get_meta(connection, "scrub")
    return msgspec.json.decode(position, type=ScrubPosition) if position else None


def _failed_actions(connection: apsw.Connection) -> tuple[FailedAction, ...]:
    """Return what failed for good since it last succeeded, by id."""
    rows = connection.execute(
        "SELECT id, coalesce(ended_at, begun_at), coalesce(outcome, '') FROM actions AS failed"
        " WHERE state = 'failed' AND permanent AND number >"
        " (SELECT coalesce(max(number), 0) FROM actions WHERE id = failed.id AND state = 'done')"
        " ORDER BY number"
    )
    failures: dict[str, list[tuple[str, str]]] = {}
    for id_, failed_at, outcome in rows:
        failures.setdefault(id_, []).append((failed_at, outcome))
    return tuple(
        FailedAction(id=id_, failed_at=tuple(at for at, _ in found), outcome=found[-1][1])
        for id_, found in sorted(failures.items())
    )
