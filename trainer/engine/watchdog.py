"""The watchdog: a run that gets no further says where it hangs, saves what it may, and leaves.

A thread looks whether the heartbeat *moves*: updates, phases and measurements count, waiting does not. Time
is counted in its own looks, so a process that was stopped for an hour is not taken for one that hangs.
"""

import faulthandler
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from state.contract.patience import patience_seconds
from state.contract.status import RunStatus
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.log import say

LOOK_SECONDS = 5.0


class Watchdog(threading.Thread):
    """Calls `leave` with a sentence, in its own thread, once the run has hung for too long."""

    def __init__(self, heartbeat: Heartbeat, leave: Callable[[str], None]) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._heartbeat = heartbeat
        self._leave = leave
        self._over = threading.Event()

    def run(self) -> None:
        """Look until the run is over."""
        quiet_seconds, seen = 0.0, -1
        while not self._over.wait(LOOK_SECONDS):
            if self._heartbeat.moves != seen:
                quiet_seconds, seen = 0.0, self._heartbeat.moves
                continue
            quiet_seconds += LOOK_SECONDS
            status = self._heartbeat.status
            patience = patience_seconds(status)
            if patience is not None and quiet_seconds > patience:
                self._leave(_why(status, quiet_seconds))
                return

    def end(self) -> None:
        """Look no more: the run is over. Afterwards no thread of ours outlives the interpreter."""
        self._over.set()
        if threading.current_thread() is not self:
            self.join()


@contextmanager
def watching(heartbeat: Heartbeat, leave: Callable[[str], None]) -> Iterator[None]:
    """Watch until the context is left."""
    watchdog = Watchdog(heartbeat, leave)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.end()


def tell_where() -> None:
    """Write what every thread is doing into the run's log."""
    say("hangs", where="below, thread by thread")
    sys.stdout.flush()
    faulthandler.dump_traceback(file=1, all_threads=True)


def _why(status: RunStatus, seconds: float) -> str:
    quest = f" of quest {status.quest_id}" if status.quest_id is not None else ""
    return (
        f"no progress for {seconds:,.0f} s while {status.phase}, after step {status.step}{quest}: it hangs; "
        "the log says where, thread by thread"
    )
