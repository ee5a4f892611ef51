"""How apply tells what happens: on a terminal with a bar, else one line a phase, or as JSON lines."""

import sys
import time
from typing import TYPE_CHECKING

import msgspec

from reconciler.cli import text_progress
from reconciler.cli.session import Session
from reconciler.cli.text_layout import harmless

if TYPE_CHECKING:
    from reconciler.act.protocol import Outcome
    from reconciler.app.planning.look import View
    from reconciler.plan.changes import Blocked, Change
    from reconciler.plan.review.saved import SavedPlan
    from state.contract.status import RunStatus

_CLEAR_LINE = "\r\x1b[K"
TOLD_AGAIN_SECONDS = 30.0
_WHOLE = 10_000
"""Columns of a log: nothing is shortened there."""


class LineShow:
    """One line an event, for logs and pipes; training at each phase of each quest, and twice a minute."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told_phase: dict[str, tuple[str, str | None, bool]] = {}
        self._told_at: dict[str, float] = {}
        self._told_warnings: set[str] = set()
        self._told_commit: str | None = None
        self._num_planned = 0
        self._num_done = 0

    def tick_began(self, view: "View") -> None:
        for text in view.plan.warnings:
            if text not in self._told_warnings:
                self._told_warnings.add(text)
                self.notice(text)
        self._num_planned = max(self._num_planned, len(view.plan.changes))
        if view.plan.changes and self._told_commit != view.commit.id:
            self._told_commit = view.commit.id
            self._print(text_progress.tick_text(view, self._session.paint, self._session.width))

    def change_began(self, change: "Change") -> None:
        """Say nothing: its end is told."""

    def change_ended(self, outcome: "Outcome") -> None:
        self._num_done += outcome.ok
        width = self._session.width if self._session.has_terminal else _WHOLE
        self._print(text_progress.outcome_text(outcome, width, self._session.paint))

    def progress(self, campaign: str, status: "RunStatus") -> None:
        phase = text_progress.phase_key(status)
        now = time.monotonic()
        is_new = self._told_phase.get(campaign) != phase
        if is_new or now - self._told_at.get(campaign, now) >= TOLD_AGAIN_SECONDS:
            self._told_phase[campaign] = phase
            self._told_at[campaign] = now
            self._print(text_progress.phase_text(campaign, status, self._session.width))

    def notice(self, text: str) -> None:
        self._session.note(text)

    def waits(self, blocked: "Blocked") -> None:
        width = self._session.width if self._session.has_terminal else _WHOLE
        self._print(text_progress.waits_text(blocked, width, self._session.paint))

    def blocked(self, blocked: "Blocked") -> None:
        width = self._session.width if self._session.has_terminal else _WHOLE
        self._print(text_progress.blocked_text(blocked, width, self._session.paint))

    def unblocked(self, subject: str) -> None:
        self._print(text_progress.unblocked_text(subject, self._session.paint))

    def settled(self, view: "View") -> None:
        self._print(text_progress.settled_text(view, self._session.paint, self._session.width))

    def saved_plan_ended(self, planfile: str, saved: "SavedPlan") -> None:
        """Say how much of a saved plan was done, and how it goes on."""
        text = text_progress.saved_plan_text(planfile, saved, self._num_done, self._num_planned)
        self._print(self._session.paint(text, "strong"))

    def _print(self, text: str) -> None:
        self._session.say(text)
        sys.stdout.flush()


class TerminalShow(LineShow):
    """The same with a last line that is drawn again and again: what is being done, how training goes."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._has_live_line = False

    def change_began(self, change: "Change") -> None:
        self._draw(text_progress.began_text(change, self._session.width - 1, self._session.paint))

    def progress(self, campaign: str, status: "RunStatus") -> None:
        width = self._session.width - 1
        self._draw(text_progress.progress_text(campaign, status, width, self._session.paint))

    def notice(self, text: str) -> None:
        self.end_line()
        super().notice(text)

    def end_line(self) -> None:
        """Remove the live line."""
        if self._has_live_line:
            sys.stdout.write(_CLEAR_LINE)
            sys.stdout.flush()
            self._has_live_line = False

    def _draw(self, text: str) -> None:
        sys.stdout.write(_CLEAR_LINE + harmless(text))
        sys.stdout.flush()
        self._has_live_line = True

    def _print(self, text: str) -> None:
        self.end_line()
        super()._print(text)


class JsonShow:
    """One JSON object a line; `event` says which: plan, begun, ended, progress, notice, waits, blocked..."""

    def tick_began(self, view: "View") -> None:
        from reconciler.plan.changes import num_obstacles

        if view.plan.changes:
            numbers = {"blocked": num_obstacles(view.plan.in_the_way), "waits": len(view.plan.waits)}
            self._emit("plan", view, changes=len(view.plan.changes), **numbers)

    def change_began(self, change: "Change") -> None:
        self._write(event="begun", **_told(change))

    def change_ended(self, outcome: "Outcome") -> None:
        self._write(
            event="ended",
            **_told(outcome.change),
            ok=outcome.ok,
            skipped=outcome.skipped,
            permanent=outcome.permanent,
            text=outcome.text,
            seconds=round(outcome.seconds, 3),
        )

    def progress(self, campaign: str, status: "RunStatus") -> None:
        self._write(event="progress", campaign=campaign, status=msgspec.to_builtins(status))

    def notice(self, text: str) -> None:
        self._write(event="notice", text=text)

    def waits(self, blocked: "Blocked") -> None:
        self._write(event="waits", **msgspec.to_builtins(blocked))

    def blocked(self, blocked: "Blocked") -> None:
        self._write(event="blocked", **msgspec.to_builtins(blocked))

    def unblocked(self, subject: str) -> None:
        self._write(event="unblocked", subject=subject)

    def settled(self, view: "View") -> None:
        from reconciler.app.planning.look import world_of
        from reconciler.plan.keeping.to_come import to_come

        told = {"blocked": view.plan.in_the_way, "waits": view.plan.waits}
        still = msgspec.to_builtins(to_come(world_of(view), view.plan))
        self._emit("settled", view, **msgspec.to_builtins(told), to_come=still)

    def _emit(self, event: str, view: "View", **more: object) -> None:
        self._write(event=event, at=view.seen_at, commit=view.commit.id, digest=view.plan.digest, **more)

    def _write(self, **fields: object) -> None:
        sys.stdout.write(msgspec.json.encode({"schema_version": 1, **fields}).decode() + "\n")
        sys.stdout.flush()


def _told(change: "Change") -> dict[str, object]:
    from reconciler.plan.sentences import sentence_of

    sentence = sentence_of(change.action)
    return {
        "id": change.id,
        "verb": sentence.verb,
        "thing": sentence.subject,
        "what": sentence.what,
        "subject": change.subject,
        "reason": change.reason,
        "cause": change.cause,
        "source": change.source,
    }
