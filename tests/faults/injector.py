"""Faults at numbered points: the process dies, a call fails, a write takes less than it was given."""

import errno
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from state import failpoints

WRITES = frozenset({"file.write", "copy.write", "line.append"})
"""Points right before bytes are written."""
UNREPEATED = frozenset(
    {"file.rename", "folder.rename", "folder.move", "file.link", "copy.share", "process.signal"}
)
"""Points before calls that a signal may break off, and that Python does not repeat by itself (PEP 475)."""
KINDS = ("kill", "ENOSPC", "EIO", "short", "torn", "EINTR")
"""`short`: a write takes half and goes on; `torn`: it takes half, then the disk is full."""

_write = os.write


def kinds_at(point: str) -> tuple[str, ...]:
    """Return the faults that can happen there."""
    more = ("short", "torn") if point in WRITES else ()
    return ("kill", "ENOSPC", "EIO", *more, *(("EINTR",) if point in UNREPEATED else ()))


class Injector:
    """Counts the points that are reached, and strikes at one of them, once."""

    def __init__(self, at: int = 0, fault: str = "", chance: random.Random | None = None) -> None:
        self.at, self.fault, self._chance = at, fault, chance
        self.names: list[str] = []
        self.has_struck = False
        self._short = 0

    def __call__(self, name: str) -> None:
        """Reach a point."""
        self.names.append(name)
        if len(self.names) == self.at:
            if self._chance is not None:  # any fault that can happen here and that this process survives
                self.fault = self._chance.choice(kinds_at(name)[1:])
            if self.fault in kinds_at(name):
                self.has_struck = True
                self._strike(name)

    def _strike(self, name: str) -> None:
        match self.fault:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "short" if name != "line.append":  # where a line is written with one call, or not at all
                self._short = 1
            case "short" | "torn":
                self._short = 2
            case _:
                number = getattr(errno, self.fault)
                raise OSError(number, f"{os.strerror(number)} (failpoint {name})")

    def write(self, descriptor: int, content: Any) -> int:
        """Write as os.write does, unless a shorter write was asked for."""
        if self._short == 0 or len(content) < 2:
            return _write(descriptor, content)
        is_torn, self._short = self._short == 2, 0
        done = _write(descriptor, content[: len(content) // 2])
        if is_torn:
            raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} (failpoint torn)")
        return done


@contextmanager
def disarming() -> Iterator[None]:
    """Let nothing be armed any more after the block."""
    try:
        yield
    finally:
        disarm()


def disarm() -> None:
    """Let nothing be armed any more."""
    os.write = _write
    failpoints.observe(None)


def arm(injector: Injector) -> Callable[[], None]:
    """Return what makes the injector strike from the moment that it is called."""

    def now() -> None:
        failpoints.observe(injector)
        os.write = injector.write

    return now
