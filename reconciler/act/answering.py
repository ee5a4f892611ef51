"""What all executors of requests share: a request is done once, in the transaction that says so."""

from collections.abc import Callable

import apsw
import msgspec

from reconciler.act.errors import Permanent
from reconciler.act.tools import Tools
from state.store.rows import RequestRow
from state.store.tables import put, select_one

Do = Callable[[apsw.Connection, str], str]
"""What is asked for, with the open transaction and the present moment (UTC); it returns the answer."""


def answer_once(tools: Tools, request_id: int, do: Do) -> str:
    """Do what a request asks for and mark it as handled, in one transaction; return the answer.

    One that was handled before is not done again: its first answer is returned.

    Raises:
        Permanent: there is no such request.
    """
    with tools.writer.transaction() as store:
        request = select_one(store, RequestRow, "WHERE id = ?", request_id)
        if request is None:
            raise Permanent(f"request {request_id} is not in the store")
        if request.handled_at is not None:
            return request.result or "handled before"
        now = tools.now()
        result = do(store, now)
        request = select_one(store, RequestRow, "WHERE id = ?", request_id) or request  # `do` may add to it
        put(store, [msgspec.structs.replace(request, handled_at=now, result=result)])
    return result
