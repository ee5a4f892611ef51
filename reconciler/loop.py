"""When to tick: at once after progress, when something happened, after the interval, later after a failure.

Called by app, which gives the tick. Every tick starts from scratch, so a missed or a false trigger costs
time and nothing else.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from reconciler.plan.retries.retry import share_of
from state.layout import RunLayout

if TYPE_CHECKING:
    from watchfiles.main import FileChange

    Changes = Iterator[set[FileChange]]

Mode = Literal["once", "until-converged", "continuous"]
TRIES_WITHOUT_SUCCESS = 3
"""So many ticks in a row in which nothing succeeded end `until-converged`."""

MOVING_SECONDS = 0.2
_LOOK_MILLISECONDS = 200
_STEP_MILLISECONDS = 50
"""watchfiles sleeps so long between two looks at what the kernel told it, and once more to see if that was
all. At half of it a waiting loop takes 0.3 % of a core instead of 0.2, and sees a commit 25 ms earlier."""

_MOST_DOUBLINGS = 64
"""Longer than any wait; after three weeks of failures a thousand of them are no number any more."""

_RUN = RunLayout(Path())
_OF_RUNS = frozenset({_RUN.exit.name, _RUN.process.name})


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """What one tick did."""

    succeeded: int = 0
    failed: int = 0
    is_counted: bool = False
    """Whatever failed is counted by the plan, which tries it again in time: no reason to look less often."""
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
    most_jitter: float = 0.2
    """The share of such a wait that is added at most: who failed together does not try together."""

    def wait_after(self, tick: Tick, failures: int) -> float:
        """Return how long to wait after a tick, if nothing happens meanwhile."""
        if failures:
            doubled = self.backoff_seconds * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
            wait = min(doubled, self.longest_backoff_seconds)
            key = f"{os.uname().nodename} {tick.plan_digest} {failures}"
            return wait * (1.0 + self.most_jitter * share_of(key))
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


class UntilDeadline:
    """Triggers that are over after so long, too; what a tick has begun is finished."""

    def __init__(self, triggers: Triggers, seconds: float) -> None:
        self._triggers = triggers
        self._deadline = time.monotonic() + seconds
        self.has_passed = False
        """Did the deadline end the loop, and nothing else?"""

    def wait(self, seconds: float) -> None:
        self._triggers.wait(min(seconds, max(0.0, self._deadline - time.monotonic())))

    def is_over(self) -> bool:
        if self._triggers.is_over():
            return True
        self.has_passed = time.monotonic() >= self._deadline
        return self.has_passed


def run(tick: Callable[[], Tick], pace: Callable[[], Pace], triggers: Triggers, mode: Mode) -> bool:
    """Tick until the mode is satisfied or the triggers are over; return whether the last tick went well.

    `once`: one tick. `until-converged`: until nothing is left, or until nothing succeeds any more.
    """
    failures, before = 0, ""
    while True:
        done = tick()
        failures = failures + 1 if _is_stuck(done, before) else 0
        before = done.plan_digest
        if mode == "until-converged" and (done.is_settled or failures >= TRIES_WITHOUT_SUCCESS):
            return done.is_settled
        if mode == "once" or triggers.is_over():
            return not done.failed
        triggers.wait(pace().wait_after(done, failures))
        if triggers.is_over():
            return not done.failed


def _is_stuck(done: Tick, digest_before: str) -> bool:
    """Did nothing succeed, or was it the same as before, so that the world did not move?"""
    if not (done.failed or done.succeeded) or (done.failed and done.is_counted):
        return False
    return not done.succeeded or done.plan_digest == digest_before


class FileTriggers:
    """Wakes up for commits, requests, published checkpoints and trainers that come or go.

    One watch lives as long as the folders stay the same, so what happens while a tick is at work is seen by
    the next wait. While waiting, `while_waiting` is called about once a second if it is given.
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
        self._watched: tuple[Path, ...] = ()
        self._changes: Changes = iter(())

    def is_over(self) -> bool:
        return self._stop.is_set()

    def wait(self, seconds: float) -> None:
        if seconds <= 0 or self.is_over():
            return
        deadline = time.monotonic() + seconds
        try:
            if self._begins_to_watch():
                return  # what happened before the watch began is for one more tick to find
            self._wait_for(self._changes, deadline)
        except (
            RuntimeError,
            OSError,
        ):  # a name that is not UTF-8, an unreadable folder: the interval has to do
            self._watched, self._changes = (), iter(())
            self._wait_for(iter(self._pause, None), deadline)

    def _wait_for(self, changes: "Changes", deadline: float) -> None:
        """Return at the first change that matters, or when the time is up."""
        called_at = time.monotonic()
        while time.monotonic() < deadline and not self.is_over():
            # Files that do not matter change many times a second: they must not put off the deadline.
            if any(matters(path) for _, path in next(changes, ())):
                return
            if self._while_waiting is not None and time.monotonic() - called_at >= 1.0:
                called_at = time.monotonic()
                self._while_waiting()

    def _pause(self) -> set["FileChange"]:
        """Let one look's time pass without looking."""
        self._stop.wait(_LOOK_MILLISECONDS / 1000)
        return set()

    def _begins_to_watch(self) -> bool:
        """Watch the folders that there are; say whether a new watch was needed for that."""
        existing = tuple(sorted({path for path in self._paths() if path.is_dir()}))
        if existing == self._watched:
            return False
        from watchfiles import watch  # slow to import; only a loop that waits needs it

        self._watched = existing
        self._changes = watch(
            *existing,
            watch_filter=None,
            debounce=_STEP_MILLISECONDS,
            step=_STEP_MILLISECONDS,
            rust_timeout=_LOOK_MILLISECONDS,
            yield_on_timeout=True,
            stop_event=self._stop,
        )
        next(self._changes, None)  # only now it watches
        return True


def matters(path: str) -> bool:
    """Could a change of this file give a tick something to do? Heartbeats and our own writes do not."""
    folder, _, name = path.rpartition("/")
    if "/refs/heads/" in path:
        return not name.endswith(".lock")
    if folder.endswith("/checkpoints"):
        return name.startswith("checkpoint-")
    return name in _OF_RUNS or (name == "wake" and folder.endswith("/control"))
