"""Moments: those that others wrote down, as this software writes them, in UTC; and a boot clock's. Pure."""

from datetime import UTC, datetime

import msgspec


class BootMoment(msgspec.Struct, frozen=True, kw_only=True):
    """A reading of the clock that counts from the start of the machine: nobody can set it."""

    boot_id: str
    """Which start; another one with every start, and on every machine."""
    seconds: float
    """Since then, with the time that the machine slept (Linux: CLOCK_BOOTTIME)."""
    awake_seconds: float | None = None
    """The same without that time (Linux: CLOCK_MONOTONIC); None from an older version."""


def in_utc(text: object) -> str | None:
    """Return a moment in UTC; None: it is none, UTC has no such year, or nobody knows its zone."""
    try:
        moment = datetime.fromisoformat(str(text))
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
