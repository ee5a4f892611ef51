"""Observed time: what ages by it cannot be made old by a clock that jumps."""

from datetime import datetime

from state.store.rows import StoreView, TrashRow

MOST_AT_ONCE_SECONDS = 24 * 3600.0


def elapsed_seconds(since: str | None, now: str) -> float:
    """Return the seconds between two moments, none when the clock was set back, 24 hours at most."""
    if since is None:
        return 0.0
    elapsed = (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()
    return min(max(elapsed, 0.0), MOST_AT_ONCE_SECONDS)


def observed_now(store: StoreView, now: str) -> float:
    """Return the realm's observed time in seconds."""
    return store.observed_seconds + elapsed_seconds(store.observed_at, now)


def is_over(stone: TrashRow, now: float) -> bool:
    """Has something lain in the trash for its time of grace, or is its purge under way?"""
    return stone.state == "purging" or now - stone.trashed_at_seconds >= stone.grace_seconds
