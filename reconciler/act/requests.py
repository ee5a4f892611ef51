"""Requests of people: hold a campaign, or let it go on."""

import msgspec

from reconciler.act.errors import Permanent
from reconciler.act.tools import Tools
from reconciler.plan.actions import HandleRequest
from state.store.rows import CampaignRow, RequestRow
from state.store.tables import put, select_one


def handle(action: HandleRequest, tools: Tools) -> str:
    """Set or lift the hold, and mark the request as handled, in one transaction.

    Raises:
        Permanent: there is no such request.
    """
    with tools.writer.transaction() as store:
        request = select_one(store, RequestRow, "WHERE id = ?", action.request_id)
        if request is None:
            raise Permanent(f"request {action.request_id} is not in the store")
        if request.handled_at is not None:
            return request.result or "handled before"
        now = tools.now()
        row = select_one(store, CampaignRow, "WHERE name = ?", action.campaign)
        if row is None:
            result = f"there is no campaign {action.campaign}; nothing was done"
        else:
            put(store, [_held(row, action, now)])
            result = _result(action)
        put(store, [msgspec.structs.replace(request, handled_at=now, result=result)])
    return result


def _held(row: CampaignRow, action: HandleRequest, now: str) -> CampaignRow:
    if action.kind == "resume":
        return msgspec.structs.replace(
            row, hold=None, hold_by=None, hold_why=None, hold_at=None, forgiven_at=now
        )
    return msgspec.structs.replace(
        row, hold=action.kind, hold_by=action.asked_by, hold_why=action.why, hold_at=now
    )


def _result(action: HandleRequest) -> str:
    match action.kind:
        case "pause":
            return f"{action.campaign} pauses: its trainer saves and waits with the model loaded"
        case "stop":
            return f"{action.campaign} stops: its trainer saves and leaves"
        case "resume":
            return f"{action.campaign} goes on; earlier failures no longer count"
