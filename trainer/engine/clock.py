"""The trainer's clock: times for people; durations are measured with time.perf_counter."""

from datetime import UTC, datetime


def now_text() -> str:
    """Return the time now in UTC, ISO-8601 with Z, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
