"""Numbered places where a test makes the process die or a system call fail.

Every helper that changes a file or starts a process calls `reach` before and after its effect. In
production nothing is armed and a call costs one comparison. Armed in a process (`arm`) or through
the environment (`REALM_FAILPOINT="12:kill"`), the k-th reached point, counted from 1, kills the
process with SIGKILL or raises the named OSError.
"""

import errno
import os
import signal
from collections.abc import Callable

FAULTS = ("kill", "ENOSPC", "EIO")

_armed: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Pass the failpoint of this name; die or raise here when a test asked for it."""
    if _armed is not None:
        _armed(name)


def arm(at: int, fault: str) -> None:
    """Make the `at`-th failpoint from now on, counted from 1, produce the fault.

    Raises:
        ValueError: the fault is none of `FAULTS`.
    """
    if fault not in FAULTS:
        raise ValueError(f"{fault!r} is no fault; known: {', '.join(FAULTS)}")
    count = 0

    def strike(name: str) -> None:
        nonlocal count
        count += 1
        if count == at:
            _produce(fault, name)

    observe(strike)


def observe(callback: Callable[[str], None] | None) -> None:
    """Call back with the name of every failpoint that is reached; None disarms."""
    global _armed  # noqa: PLW0603 - one process, one set of failpoints
    _armed = callback


def _produce(fault: str, name: str) -> None:
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    number = getattr(errno, fault)
    raise OSError(number, f"{os.strerror(number)} (failpoint {name})")


def arm_from_environment(variable: str = "REALM_FAILPOINT") -> None:
    """Arm what the environment asks for, if anything."""
    at, _, fault = os.environ.get(variable, "").partition(":")
    if at:
        arm(int(at), fault)
