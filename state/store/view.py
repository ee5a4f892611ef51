"""What planning reads from the store, in one transaction."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import apsw
import msgspec

from state.moments import BootMoment
from state.store.journal_rows import BROKEN_OFF, FailedAction, LastFailure
from state.store.older_copy import older_copy_of
from state.store.root_place import get_place
from state.store.rows import (
    CampaignRow,
    CopyRow,
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
from state.store.unseen_places import get_unseen


def read_view(connection: apsw.Connection) -> StoreView:
    """Return everything that planning needs, as of one moment."""
    connection.execute("BEGIN")
    try:
        epoch, failures = int(get_meta(connection, "epoch") or 0), _failures(connection)
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
            failed_actions=tuple(_failed_actions(failures)),
            last_failures=tuple(map(_last_failure, failures)),
            copies=select(connection, CopyRow),
            unseen_places=get_unseen(connection),
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


class _Failure(NamedTuple):
    """One row of the journal."""

    id: str
    failed_at: str
    outcome: str
    permanent: bool
    epoch: int


def _failures(connection: apsw.Connection) -> tuple[tuple[_Failure, ...], ...]:
    """Return the failures of each change since it last succeeded, oldest first; the changes by id."""
    rows = connection.execute(
        "SELECT id, coalesce(ended_at, begun_at), coalesce(outcome, ''), permanent, epoch"
        " FROM actions AS failed WHERE state = 'failed' AND outcome IS NOT ? AND number >"
        " (SELECT coalesce(max(number), 0) FROM actions WHERE id = failed.id AND state = 'done')"
        " ORDER BY number",
        (BROKEN_OFF,),
    )
    found: dict[str, list[_Failure]] = {}
    for id_, at, outcome, permanent, epoch in rows:
        found.setdefault(id_, []).append(_Failure(id_, at, outcome, bool(permanent), epoch))
    return tuple(tuple(found[id_]) for id_ in sorted(found))


def _failed_actions(failures: Iterable[Sequence[_Failure]]) -> Iterator[FailedAction]:
    """Yield what failed for good."""
    for of_change in failures:
        if for_good := [one for one in of_change if one.permanent]:
            yield FailedAction(
                id=for_good[-1].id,
                failed_at=tuple(one.failed_at for one in for_good),
                outcome=for_good[-1].outcome,
            )


def _last_failure(failures: Sequence[_Failure]) -> LastFailure:
    last = failures[-1]
    return LastFailure(
        id=last.id,
        failed_at=tuple(one.failed_at for one in failures),
        outcome=last.outcome,
        permanent=last.permanent,
        epoch=last.epoch,
        num_in_office=sum(one.epoch == last.epoch for one in failures),
    )
