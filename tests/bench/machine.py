"""What something takes, and how fast the machine was at that moment: a bare interpreter's start beside each run.

An absolute figure says little where others compute, or on another machine. The bare start is measured in turn
with what is measured, so both had the same machine; a reader compares that with the bare start of theirs.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

BARE = (sys.executable, "-c", "pass")


class Cost(NamedTuple):
    """Medians over the runs; the memory of the largest."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    bare_seconds: float
    bare_cpu_seconds: float

    def __str__(self) -> str:
        return (
            f"{self.seconds * 1000:7.1f} ms ({self.cpu_seconds * 1000:.0f} ms of processor time) "
            f"{self.peak_mb:6.1f} MB   {self.seconds / self.bare_seconds:5.1f} x {self.bare}"
        )

    @property
    def bare(self) -> str:
        """How fast the machine was."""
        return f"python -c pass ({self.bare_seconds * 1000:.1f} ms)"


class _Run(NamedTuple):
    seconds: float
    cpu_seconds: float
    peak_mb: float


def time_command(
    command: Sequence[str], *, repeat: int = 15, before: Callable[[], None] = lambda: None, **options: object
) -> Cost:
    """Return what a command takes as a whole process, after one run to warm up; each comes after `before`."""

    def run() -> _Run:
        before()
        return _run(command, options)

    return _in_turn(run, repeat)


def time_call(call: Callable[[], object], *, repeat: int = 7) -> Cost:
    """Return what a call takes in this process; it computes and never waits, so both times are processor time."""
    return _in_turn(lambda: _called(call), repeat)


def bare_start(repeat: int = 7) -> float:
    """Return the median seconds that a bare interpreter's start takes now."""
    return statistics.median(_run(BARE, {}).seconds for _ in range(repeat))


def environment() -> dict[str, str]:
    """Return this process's environment, in which a second start finds what the first one compiled."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _in_turn(run: Callable[[], _Run], repeat: int) -> Cost:
    ours, bare = [], []
    for _ in range(repeat + 1):
        ours.append(run())
        bare.append(_run(BARE, {}))
    median = statistics.median
    return Cost(
        seconds=median(one.seconds for one in ours[1:]),
        cpu_seconds=median(one.cpu_seconds for one in ours[1:]),
        peak_mb=max(one.peak_mb for one in ours),
        bare_seconds=median(one.seconds for one in bare[1:]),
        bare_cpu_seconds=median(one.cpu_seconds for one in bare[1:]),
    )


def _run(command: Sequence[str], options: Mapping[str, object]) -> _Run:
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **{"env": environment(), **options})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 2), f"{command} ended with {process.returncode}"
    seconds = time.perf_counter() - begun
    return _Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _called(call: Callable[[], object]) -> _Run:
    begun = time.process_time()
    call()
    seconds = time.process_time() - begun
    return _Run(seconds, seconds, 0.0)
