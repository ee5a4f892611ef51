"""How long apply waits for files of the inbox that somebody still brings."""

import time

from reconciler.app.applying.telling import Show
from reconciler.plan.changes import SETTLES, Blocked, Plan

SETTLING_SECONDS = 60.0
"""So long it counts as left to do that a file of the inbox is still being written, or held open."""


class Patience:
    """Remembers since when each file is not whole; says once of each that the wait for it is over."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._since: dict[str, float] = {}
        self._given_up: set[str] = set()

    def waits(self, plan: Plan) -> bool:
        """Does somebody still bring a file, and has not been for long?"""
        now = time.monotonic()
        settling = {item.subject: item for item in plan.blocked if item.code == SETTLES}
        self._since = {subject: self._since.get(subject, now) for subject in settling}
        over = {subject for subject, since in self._since.items() if now - since >= SETTLING_SECONDS}
        for subject in sorted(over - self._given_up):
            self._show.notice(_given_up(settling[subject]))
        self._given_up = over
        return len(over) < len(settling)


def _given_up(item: Blocked) -> str:
    return (
        f"{item.subject}: not waited for any longer than {SETTLING_SECONDS:g} s: {item.message}; "
        "it is taken in by the first look after it is whole"
    )
