"""What `apply` tells while it works; the command line shows it as text, as a bar, or as JSON."""

from typing import Protocol

from reconciler.act.protocol import Outcome
from reconciler.app.planning.look import View
from reconciler.plan.changes import Blocked, Change
from state.contract.status import RunStatus


class Show(Protocol):
    """Tells a person, or a program, what happens while it happens."""

    def tick_began(self, view: View) -> None:
        """A plan was made; it may be empty."""

    def change_began(self, change: Change) -> None:
        """An action is being done."""

    def change_ended(self, outcome: Outcome) -> None:
        """An action was done, failed or was skipped."""

    def progress(self, campaign: str, status: RunStatus) -> None:
        """About once a second while a trainer lives and there is nothing else to do."""

    def notice(self, text: str) -> None:
        """Something worth knowing that is no change."""

    def waits(self, blocked: Blocked) -> None:
        """Nothing is done about this before its time; said once for each such wait."""

    def blocked(self, blocked: Blocked) -> None:
        """Something cannot be done; said when that begins, and again when its reason is another one."""

    def unblocked(self, subject: str) -> None:
        """Nothing is in the way of this any more."""

    def settled(self, view: View) -> None:
        """Nothing is left to do; said once for each such state."""
