"""Approvals: used once, for exactly what was approved."""

import msgspec

from reconciler.act.errors import Permanent
from reconciler.act.tools import Tools
from reconciler.plan.actions import TakeApproval
from state.store.rows import RequestRow, TakenApproval
from state.store.tables import put, put_meta, select_one


def take(action: TakeApproval, tools: Tools) -> str:
    """Mark the request as handled and write down what may be dropped now, in one transaction.

    Raises:
        Permanent: there is no such request.
    """
    with tools.writer.transaction() as store:
        request = select_one(store, RequestRow, "WHERE id = ?", action.request_id)
        if request is None:
            raise Permanent(f"request {action.request_id} is not in the store")
        if request.handled_at is not None:
            return request.result or "handled before"
        if action.sequences:
            taken = TakenApproval(specs_commit=action.specs_commit, sequences=action.sequences)
            put_meta(store, "approval", msgspec.json.encode(taken).decode())
        put(store, [msgspec.structs.replace(request, handled_at=tools.now(), result=action.what)])
    return action.what
