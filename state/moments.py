"""Moments that others wrote down, as this software writes them: UTC, to the second. Pure."""

from datetime import UTC, datetime


def in_utc(text: object) -> str | None:
    """Return a moment in UTC; None: it is none, or has no zone, so that nobody knows when it was."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment.tzinfo is not None else None
