"""A request whose answer the plan knows already: of a look at the source, of a scrub."""

import apsw

from reconciler.act.answering import answer_once
from reconciler.act.tools import Tools
from reconciler.plan.actions import AnswerRefresh, AnswerRequest


def answer(action: AnswerRefresh | AnswerRequest, tools: Tools) -> str:
    """Mark the request as handled, with what was found.

    Raises:
        Permanent: there is no such request.
    """

    def do(store: apsw.Connection, now: str) -> str:
        del store, now
        return action.answer

    return answer_once(tools, action.request_id, do)
