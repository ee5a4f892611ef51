"""The records in the order in which they were recorded, checked, with save times that never run backwards."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from math import isfinite
from operator import attrgetter
from typing import NamedTuple

from reconciler.plan.retention.records import MalformedRecords, Record


class History(NamedTuple):
    """The records of one campaign that are there, oldest first; other modules speak of them by position."""

    records: tuple[Record, ...]
    times: tuple[datetime, ...]
    """When each was saved, in UTC: the latest of its own save time and all before it, those gone included."""
    healthy: tuple[int, ...]
    """Positions of the complete healthy ones: those that rules count."""


def history_of(records: Iterable[Record]) -> History:
    """Return the records as a history, whatever order they come in.

    Raises:
        MalformedRecords: an id or a sequence number occurs twice, or a place does among those that are there;
            a number or time cannot be used.
    """
    ordered = tuple(sorted(records, key=attrgetter("sequence")))
    _check_unique(ordered, "id")
    _check_unique(ordered, "sequence")
    for name in ("sequence", "segment", "step"):
        if min(map(attrgetter(name), ordered), default=0) < 0:
            raise MalformedRecords(f"a checkpoint has a {name} below 0")
    _check_finite(ordered)
    times = tuple(accumulate(_moments(ordered), max))
    if any(record.gone for record in ordered):
        times = tuple([time for time, record in zip(times, ordered, strict=True) if not record.gone])
        ordered = tuple([record for record in ordered if not record.gone])
    if len(set(map(attrgetter("step"), ordered))) != len(ordered):  # quicker, and mostly enough
        _check_unique(ordered, "segment", "step")
    healthy = tuple([at for at, record in enumerate(ordered) if record.healthy and record.complete])
    return History(ordered, times, healthy)


def _check_unique(ordered: Sequence[Record], *names: str) -> None:
    values = attrgetter(*names)
    if len(set(map(values, ordered))) != len(ordered):
        value, times = Counter(map(values, ordered)).most_common(1)[0]
        raise MalformedRecords(f"{times} checkpoints have the {' and '.join(names)} {value!r}; expected one")


def _check_finite(ordered: Sequence[Record]) -> None:
    for record in ordered:
        if not isfinite(record.recorded_at_seconds):
            raise MalformedRecords(f"{record.id}: recorded at {record.recorded_at_seconds}; expected seconds")


def _moments(ordered: Sequence[Record]) -> Sequence[datetime]:
    try:
        moments = list(map(datetime.fromisoformat, map(attrgetter("saved_at"), ordered)))
        if all(moment.tzinfo is UTC for moment in moments):
            return moments
    except (ValueError, TypeError):
        pass  # one of them cannot be read; found below
    return [_moment(record) for record in ordered]


def _moment(record: Record) -> datetime:
    try:
        moment = datetime.fromisoformat(record.saved_at)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise MalformedRecords(f"{record.id}: saved at {record.saved_at!r}, which is no time") from error
    raise MalformedRecords(f"{record.id}: saved at {record.saved_at!r}, a time without a zone")
