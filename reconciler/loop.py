"""When to tick: at once after progress, when something happened, after the interval, later after a failure.

Called by app, which gives the tick. Every tick starts from scratch, so a missed or a false trigger costs
time and nothing else.
"""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from state.layout import RunLayout

Mode = Literal["once", "until-converged", "continuous"]
TRIES_WITHOUT_SUCCESS = 3
"""So many ticks in a row in which nothing succeeded end `until-converged`."""

MOVING_SECONDS = 0.2

_RUN = RunLayout(Path())
_OF_RUNS = frozenset({_RUN.exit.name, _RUN.process.name})


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """What one tick did."""

    succeeded: int = 0
    failed: int = 0
    plan_digest: str = ""
    """What it tried to do; trying the very same again is no progress."""
    is_moving: bool = False
    """A trainer is about to appear or to be gone: look again very soon."""
    is_settled: bool
    """Nothing is left to do and nothing is running or about to be tried again."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait, in seconds."""

    interval_seconds: float = 15.0
    backoff_seconds: float = 30.0
    """After a tick in which something failed; doubled for each further one."""
    longest_backoff_seconds: float = 1800.0

    def wait_after(self, tick: Tick, failures: int) -> float:
        """Return how long to wait after a tick, if nothing happens meanwhile."""
        if failures:
            return float(min(self.backoff_seconds * 2 ** (failures - 1), self.longest_backoff_seconds))
        if tick.succeeded:
            return 0.0
        return MOVING_SECONDS if tick.is_moving else self.interval_seconds


class Triggers(Protocol):
    """Waits for something that a tick should look at."""

    def wait(self, seconds: float) -> None:
        """Return when something happened, the time is over, or the loop should end."""
        ...

    def is_over(self) -> bool:
        """Should the loop end?"""
        ...


def run(tick: Callable[[], Tick], pace: Callable[[], Pace], triggers: Triggers, mode: Mode) -> bool:
    """Tick until the mode is satisfied or the triggers are over; return whether the last tick went well.

    `once`: one tick. `until-converged`: until nothing is left, or until nothing succeeds any more.
    """
    failures, before = 0, ""
    while True:
        done = tick()
        failures = failures + 1 if _is_stuck(done, before) else 0
        before = done.plan_digest
        if mode == "once" or triggers.is_over():
            return not done.failed
        if mode == "until-converged" and (done.is_settled or failures >= TRIES_WITHOUT_SUCCESS):
            return done.is_settled
        triggers.wait(pace().wait_after(done, failures))
        if triggers.is_over():
            return not done.failed


def _is_stuck(done: Tick, digest_before: str) -> bool:
    """Did nothing succeed, or was it the same as before, so that the world did not move?"""
    if not (done.failed or done.succeeded):
        return False
    return not done.succeeded or done.plan_digest == digest_before


class FileTriggers:
    """Wakes up for commits, requests, published checkpoints and trainers that come or go.

    While waiting, `while_waiting` is called about once a second if it is given.
    """

    def __init__(
        self,
        paths: Callable[[], Iterable[Path]],
        stop: threading.Event,
        while_waiting: Callable[[], None] | None = None,
    ) -> None:
        self._paths = paths
        self._stop = stop
        self._while_waiting = while_waiting

    def is_over(self) -> bool:
        return self._stop.is_set()

    def wait(self, seconds: float) -> None:
        if seconds <= 0 or self.is_over():
            return
        import time

        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self.is_over():
            if self._something_happened(min(left, 1.0) if self._while_waiting else left):
                return
            if self._while_waiting is not None:
                self._while_waiting()

    def _something_happened(self, seconds: float) -> bool:
        from watchfiles import watch  # slow to import; only a loop that waits needs it

        existing = [path for path in self._paths() if path.is_dir()]
        found = watch(
            *existing,
            watch_filter=lambda _change, path: matters(path),
            debounce=50,
            step=25,
            rust_timeout=max(1, int(seconds * 1000)),
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
        )
        return bool(next(found, None))


def matters(path: str) -> bool:
    """Could a change of this file give a tick something to do? Heartbeats and our own writes do not."""
    folder, _, name = path.rpartition("/")
    if "/refs/heads/" in path:
        return not name.endswith(".lock")
    if folder.endswith("/checkpoints"):
        return name.startswith("checkpoint-")
    return name in _OF_RUNS or (name == "wake" and folder.endswith("/control"))
