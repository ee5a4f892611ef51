"""The clock that counts from the start of the machine, asleep or awake. No one can set it; Linux only."""

import sys
import time
from pathlib import Path

from state.moments import BootMoment

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def no_boot_clock() -> BootMoment | None:
    """Return nothing: what has passed is then the wall clock's word."""
    return None


def boot_moment() -> BootMoment | None:
    """Return what the clock says; None where there is none."""
    if sys.platform != "linux":
        return None
    try:
        boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
        return BootMoment(
            boot_id=boot_id,
            seconds=time.clock_gettime(time.CLOCK_BOOTTIME),
            awake_seconds=time.clock_gettime(time.CLOCK_MONOTONIC),
        )
    except OSError:
        return None  # a sandbox without /proc
