"""Requests whose answer the plan knows already: for a look at the source, for a scrub."""

import apsw
import msgspec

from reconciler.act.answering import answer_once
from reconciler.act.tools import Tools
from reconciler.plan.actions import AnswerRefresh, AnswerRequest
from state.store.refreshes import Found
from state.store.rows import RequestRow
from state.store.tables import put, select_one


def answer(action: AnswerRequest, tools: Tools) -> str:
    """Mark the request as handled, with what was found.

    Raises:
        Permanent: there is no such request.
    """

    def do(store: apsw.Connection, now: str) -> str:
        del store, now
        return action.answer

    return answer_once(tools, action.request_id, do)


def answer_refresh(action: AnswerRefresh, tools: Tools) -> str:
    """Mark the request for a look as handled, with what was found, and whether somebody has to mend that.

    Raises:
        Permanent: there is no such request.
    """

    def do(store: apsw.Connection, now: str) -> str:
        del now
        request = select_one(store, RequestRow, "WHERE id = ?", action.request_id)
        if request is not None and action.is_mistaken:
            found = msgspec.json.encode(Found(is_mistaken=True)).decode()
            put(store, [msgspec.structs.replace(request, details_json=found)])
        return action.answer

    return answer_once(tools, action.request_id, do)
