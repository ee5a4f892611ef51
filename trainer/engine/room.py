"""A disk without room for a checkpoint: training waits, what was learnt stays in memory, nothing is lost."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from state.amounts import size
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.log import say

LOOK_SECONDS = 2.0
_FOR_THE_REST_BYTES = 1 << 20
"""Tokenizer, manifest, and what else is written meanwhile."""


def free_bytes(folder: Path) -> int:
    """Return what we may still write where this folder lies, or will lie."""
    while not folder.exists():
        folder = folder.parent
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class Room:
    """Waits for room on a disk, until somebody asks to leave."""

    def __init__(self, folder: Path, heartbeat: Heartbeat) -> None:
        self.must_leave: Callable[[], bool] = lambda: False
        self._folder = folder
        self._heartbeat = heartbeat

    def wait(self, what: str, needed_bytes: int, error: BaseException | None = None) -> bool:
        """Return once there is room for so much, after an error at least one look later; `what` needs it.

        Say whether it makes sense to try: False once somebody asks to leave and there is none.
        """
        while error is not None or not self._has(needed_bytes):
            error = None
            if self.must_leave():
                return False
            if self._heartbeat.status.waiting_for is None:
                self._tell(what, needed_bytes)
            time.sleep(LOOK_SECONDS)
            self._heartbeat.still_there()
        return True

    def over(self) -> None:
        """Tell that nobody waits any more, if somebody did."""
        if self._heartbeat.status.waiting_for is not None:
            say("room again")
            self._heartbeat.tell(waiting_for=None)

    def _has(self, needed_bytes: int) -> bool:
        return free_bytes(self._folder) >= needed_bytes + _FOR_THE_REST_BYTES

    def _tell(self, what: str, needed_bytes: int) -> None:
        why = why_waiting(what, needed_bytes, free_bytes(self._folder), self._folder)
        say("waits", why=why)
        self._heartbeat.enter("saving", waiting_for=why)


def why_waiting(what: str, needed_bytes: int, free: int, folder: Path) -> str:
    """Return what `what` needs, the room for the rest with it, and how much of that the disk lacks.

    Where it lacks nothing, it was the disk that refused to write: a quota, say.
    """
    rest = size(_FOR_THE_REST_BYTES)
    needs = f"{size(needed_bytes)}, and {rest} for what is written beside it" if needed_bytes else rest
    missing = needed_bytes + _FOR_THE_REST_BYTES - free
    lacks = f"{size(missing)} too little" if missing > 0 else "but writing there failed"
    return (
        f"no room for {what}: it needs {needs}; {size(free)} are free where {folder} lies, {lacks}; "
        "training goes on once there is room"
    )
