"""The end of a run that hangs: a checkpoint if the state is between two updates, its reason, and out."""

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from trainer.engine.failures import StuckError
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.log import say
from trainer.engine.outcome import Outcome
from trainer.engine.watchdog import tell_where

if TYPE_CHECKING:
    from trainer.engine.session import Session

LONGEST_SAVE_SECONDS = 60.0
"""So long, and twice the usual save, it may take: what hangs may hang there, too."""


class Escape:
    """The way out of a run that hangs, in the thread of whoever noticed it."""

    def __init__(self, heartbeat: Heartbeat, leave: Callable[[Outcome], int]) -> None:
        self.session: Session | None = None
        """None until the model is loaded."""
        self._heartbeat = heartbeat
        self._leave = leave

    def take(self, why: str) -> None:
        """Tell where it hangs, save what may be saved, and end the process; the kernel frees its locks."""
        tell_where()
        saving = threading.Thread(target=self._save, name="last save", daemon=True)
        saving.start()
        saving.join(LONGEST_SAVE_SECONDS + 2 * (self._heartbeat.status.save_seconds or 0.0))
        failure = StuckError(why)
        code = self._leave(
            Outcome(reason="failed", message=str(failure), failure_class=failure.failure_class)
        )
        os._exit(code)

    def _save(self) -> None:
        if self.session is None:
            return
        try:
            if not self.session.save_if_sound():
                say("not saved", message="it hangs in the middle of an update, or of a save")
        except Exception as error:  # noqa: BLE001 - the run ends anyway, and its last checkpoint stays
            say("not saved", error=error)
