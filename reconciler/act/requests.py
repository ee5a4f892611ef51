"""Requests of people: hold a campaign, or let it go on."""

import apsw
import msgspec

from reconciler.act.answering import answer_once
from reconciler.act.tools import Tools
from reconciler.observed.runs import observe_runs
from reconciler.plan.actions import HandleRequest
from state.store.rows import CampaignRow, RequestRow, RunRow
from state.store.tables import put, select_one

_ITS_TRAINER = "its open run"


def handle(action: HandleRequest, tools: Tools) -> str:
    """Set or lift the hold, and mark the request as handled, in one transaction.

    Raises:
        Permanent: there is no such request.
    """

    def do(store: apsw.Connection, now: str) -> str:
        put(store, _taken_back(store, action, now))
        row = select_one(store, CampaignRow, "WHERE name = ?", action.campaign)
        if row is None:
            return f"there is no campaign {action.campaign}; nothing was done"
        asked = select_one(store, RequestRow, "WHERE id = ?", action.request_id)
        put(store, [_held(row, action, asked.asked_at if asked is not None else now, now)])
        return _result(action, _trainer_of(tools, store, row))

    return answer_once(tools, action.request_id, do)


def _taken_back(store: apsw.Connection, action: HandleRequest, now: str) -> list[RequestRow]:
    """Return the older requests that this one takes back, as handled."""
    result = f"taken back: {action.kind} (request {action.request_id}) was asked for later"
    rows = (select_one(store, RequestRow, "WHERE id = ?", number) for number in action.instead_of)
    return [
        msgspec.structs.replace(row, handled_at=now, result=result)
        for row in rows
        if row is not None and row.handled_at is None
    ]


def _held(row: CampaignRow, action: HandleRequest, asked_at: str, now: str) -> CampaignRow:
    """Return the campaign held since it was asked for; or without a hold, and failures until now forgiven.

    One that only its folder told of stays held for that: nobody has looked at what was lost of it.
    """
    if action.kind == "resume":
        return msgspec.structs.replace(
            row, hold=None, hold_by=None, hold_why=None, hold_at=None, forgiven_at=now
        )
    if row.is_told_by_its_folder:
        return msgspec.structs.replace(row, hold=action.kind)
    return msgspec.structs.replace(
        row, hold=action.kind, hold_by=action.asked_by, hold_why=action.why, hold_at=asked_at
    )


def _trainer_of(tools: Tools, store: apsw.Connection, row: CampaignRow) -> str | None:
    """Return who trains the campaign: its open run, or a process that the books do not know; None: nobody."""
    if select_one(store, RunRow, "WHERE campaign_uid = ? AND state != 'ended'", row.uid) is not None:
        return _ITS_TRAINER
    seen = observe_runs(tools.layout.home_of(row), tools.layout.root, proc=tools.proc)
    living = ((run, run.process) for run in seen.runs if run.alive and run.process is not None)
    return next((f"g{run.generation}-a{run.attempt}, pid {who.pid}" for run, who in living), None)


def _result(action: HandleRequest, trainer: str | None) -> str:
    back = f"reconcile resume {action.campaign}"
    done = "paused" if action.kind == "pause" else "stopped"
    match action.kind:
        case "resume":
            return f"{action.campaign} goes on; earlier failures no longer count"
        case "pause" if trainer == _ITS_TRAINER:
            return f"{action.campaign} pauses: its trainer saves and waits with the model loaded"
        case "stop" if trainer == _ITS_TRAINER:
            return f"{action.campaign} stops: its trainer saves and leaves"
        case _ if trainer is not None:
            return (
                f"{action.campaign} is {done} once its trainer leaves: one lives whose run is not open "
                f"(run {trainer}) and heeds no orders; none is launched until {back}"
            )
        case _:
            return (
                f"{action.campaign} is {done}: no trainer of it is at work, and none is launched until {back}"
            )
