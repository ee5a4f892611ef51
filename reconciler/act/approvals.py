"""Approvals: used once, for exactly what was approved."""

import apsw
import msgspec

from reconciler.act.answering import answer_once
from reconciler.act.tools import Tools
from reconciler.plan.actions import TakeApproval
from state.store.rows import TakenApproval
from state.store.tables import get_meta, put_meta


def take(action: TakeApproval, tools: Tools) -> str:
    """Mark the request as handled and write down what may be dropped now, in one transaction.

    Raises:
        Permanent: there is no such request.
    """

    def do(store: apsw.Connection, _now: str) -> str:
        if action.sequences:
            put_meta(store, "approval", msgspec.json.encode(_beside_earlier(store, action)).decode())
        return action.what

    return answer_once(tools, action.request_id, do)


def forget(store: apsw.Connection, sequence: int) -> None:
    """Forget that something may be dropped: a person took it back, and another approval is needed."""
    before = get_meta(store, "approval")
    if before:
        taken = msgspec.json.decode(before, type=TakenApproval)
        left = tuple(one for one in taken.sequences if one != sequence)
        put_meta(
            store, "approval", msgspec.json.encode(msgspec.structs.replace(taken, sequences=left)).decode()
        )


def _beside_earlier(store: apsw.Connection, action: TakeApproval) -> TakenApproval:
    """Return what may be dropped now: this, and what was approved before at the same commit."""
    before = get_meta(store, "approval")
    earlier = msgspec.json.decode(before, type=TakenApproval) if before else None
    is_of_this_commit = earlier is not None and earlier.specs_commit == action.specs_commit
    sequences = {*action.sequences, *(earlier.sequences if earlier and is_of_this_commit else ())}
    return TakenApproval(specs_commit=action.specs_commit, sequences=tuple(sorted(sequences)))
