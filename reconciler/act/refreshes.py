"""A request for a look at the source, answered."""

import apsw

from reconciler.act.answering import answer_once
from reconciler.act.tools import Tools
from reconciler.plan.actions import AnswerRefresh


def answer(action: AnswerRefresh, tools: Tools) -> str:
    """Mark the request as handled, with what the look found.

    Raises:
        Permanent: there is no such request.
    """

    def do(store: apsw.Connection, now: str) -> str:
        del store, now
        return action.answer

    return answer_once(tools, action.request_id, do)
