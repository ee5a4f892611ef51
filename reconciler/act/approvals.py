"""Approvals: used once, for exactly what was approved."""

import apsw
import msgspec

from reconciler.act.answering import answer_once
from reconciler.act.tools import Tools
from reconciler.plan.actions import TakeApproval
from state.store.rows import TakenApproval
from state.store.tables import put_meta


def take(action: TakeApproval, tools: Tools) -> str:
    """Mark the request as handled and write down what may be dropped now, in one transaction.

    Raises:
        Permanent: there is no such request.
    """

    def do(store: apsw.Connection, _now: str) -> str:
        if action.sequences:
            taken = TakenApproval(specs_commit=action.specs_commit, sequences=action.sequences)
            put_meta(store, "approval", msgspec.json.encode(taken).decode())
        return action.what

    return answer_once(tools, action.request_id, do)
