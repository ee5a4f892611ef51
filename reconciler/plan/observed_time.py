"""Observed time: what ages by it cannot be made old by a clock that jumps.

While the machine runs, its boot clock says what has passed, whatever the clock on the wall is set to. From
one boot to the next (or from one machine to another) what has surely passed is the time since the later boot,
and no more of it counts than the wall clock saw: time in which the machine was off makes nothing older.
"""

from datetime import datetime

from state.moments import BootMoment
from state.store.rows import StoreView, TrashRow

MOST_AT_ONCE_SECONDS = 24 * 3600.0


def elapsed_seconds(
    since: str | None, now: str, since_boot: BootMoment | None = None, boot: BootMoment | None = None
) -> float:
    """Return the seconds between two moments, 24 hours at most, none where a clock was set back.

    Without a boot clock at either of them the wall clock's word counts alone.
    """
    if since is None:
        return 0.0
    elapsed = (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()
    if since_boot is not None and boot is not None:
        is_same = since_boot.boot_id == boot.boot_id
        elapsed = boot.seconds - since_boot.seconds if is_same else min(elapsed, boot.seconds)
    return min(max(elapsed, 0.0), MOST_AT_ONCE_SECONDS)


def observed_now(store: StoreView, now: str, boot: BootMoment | None) -> float:
    """Return the realm's observed time in seconds."""
    return store.observed_seconds + elapsed_seconds(store.observed_at, now, store.observed_boot, boot)


def is_over(stone: TrashRow, now: float) -> bool:
    """Has something lain in the trash for its time of grace, or is its purge under way?"""
    return stone.state == "purging" or now - stone.trashed_at_seconds >= stone.grace_seconds
