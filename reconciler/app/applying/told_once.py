"""What stands still is told once, when it begins and when it is over; thousands of a kind are counted."""

from reconciler.app.applying.telling import Show
from reconciler.plan.changes import MOST_OF_A_KIND, SETTLES, Plan, folded


class ToldOnce:
    """Remembers what was told of the plans before."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._waits: set[str] = set()
        self._blocked: dict[str, set[str]] = {}

    def tell(self, plan: Plan) -> None:
        """Say what is new in a plan, and what no longer stands still."""
        self._tell_waits(plan)
        self._tell_blocked(plan)

    def _tell_waits(self, plan: Plan) -> None:
        """Say what time alone will set going again."""
        waits = {item.message: item for item in plan.tried_again}
        waits |= {f"{item.subject}: {item.hint}": item for item in plan.blocked if item.code == SETTLES}
        for item in folded([waits[message] for message in waits if message not in self._waits]):
            self._show.waits(item)
        self._waits = set(waits)

    def _tell_blocked(self, plan: Plan) -> None:
        """Say what is in the way and what no longer is."""
        blocked = plan.in_the_way
        new = [item for item in blocked if item.message not in self._blocked.get(item.subject, ())]
        for item in folded(new):
            self._show.blocked(item)
        found: dict[str, set[str]] = {}
        for item in blocked:
            found.setdefault(item.subject, set()).add(item.message)
        gone = sorted(self._blocked.keys() - found.keys())
        for subject in gone[:MOST_OF_A_KIND]:
            self._show.unblocked(subject)
        if len(gone) > MOST_OF_A_KIND:
            self._show.notice(f"{len(gone) - MOST_OF_A_KIND:,} more are no longer blocked")
        self._blocked = found
