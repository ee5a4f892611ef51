"""The records in the order in which they were recorded, checked, with save times that never run backwards.

Checks look at one field of all records at a time, in C where that can be: a ledger may have 100,000 rows.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate, islice
from math import isfinite
from operator import attrgetter, le, lt
from typing import NamedTuple

from reconciler.plan.retention.records import MalformedRecords, Record


class History(NamedTuple):
    """The records of one campaign that are there, oldest first; other modules speak of them by position."""

    records: Sequence[Record]
    times: Sequence[datetime]
    """When each was saved, in UTC: the latest of its own save time and all before it, those gone included."""
    healthy: Sequence[int]
    """Positions of the complete healthy ones: those that rules count."""
    segments: Sequence[int]
    steps: Sequence[int]


def history_of(records: Iterable[Record]) -> History:
    """Return the records as a history, whatever order they come in.

    Raises:
        MalformedRecords: an id or a sequence number occurs twice, or a place does among those that are there;
            a number or time cannot be used.
    """
    ordered = sorted(records, key=attrgetter("sequence"))
    _check_names([record.id for record in ordered], [record.sequence for record in ordered])
    _check_places([record.segment for record in ordered], [record.step for record in ordered])
    _check_seconds(ordered)
    times = _never_backwards(_moments(ordered))
    if any(map(attrgetter("gone"), ordered)):
        times = [time for time, record in zip(times, ordered, strict=True) if not record.gone]
        ordered = [record for record in ordered if not record.gone]
    segments, steps = [record.segment for record in ordered], [record.step for record in ordered]
    if len(set(steps)) != len(steps):  # quicker, and mostly enough
        _check_unique(list(zip(segments, steps, strict=True)), "segment and step")
    healthy = [at for at, record in enumerate(ordered) if record.healthy and record.complete]
    return History(ordered, times, healthy, segments, steps)


def _check_names(ids: Sequence[str], sequences: Sequence[int]) -> None:
    _check_unique(ids, "id")
    if not all(map(lt, sequences, islice(sequences, 1, None))):
        _check_unique(sequences, "sequence")
    _check_not_negative(sequences, "sequence")


def _check_places(segments: Sequence[int], steps: Sequence[int]) -> None:
    _check_not_negative(segments, "segment")
    _check_not_negative(steps, "step")


def _check_not_negative(values: Sequence[int], name: str) -> None:
    if min(values, default=0) < 0:
        raise MalformedRecords(f"a checkpoint has a {name} below 0")


def _check_seconds(ordered: Sequence[Record]) -> None:
    if isfinite(sum([record.recorded_at_seconds for record in ordered])):
        return  # a sum with one that is not finite is not finite
    for record in ordered:
        if not isfinite(record.recorded_at_seconds):
            raise MalformedRecords(f"{record.id}: recorded at {record.recorded_at_seconds}; expected seconds")


def _check_unique(values: Sequence[Hashable], name: str) -> None:
    if len(set(values)) != len(values):
        value, times = Counter(values).most_common(1)[0]
        raise MalformedRecords(f"{times} checkpoints have the {name} {value!r}; expected one")


def _never_backwards(times: Sequence[datetime]) -> Sequence[datetime]:
    """Return the times, each at least the one before it."""
    return times if all(map(le, times, islice(times, 1, None))) else list(accumulate(times, max))


def _moments(ordered: Sequence[Record]) -> Sequence[datetime]:
    try:
        moments = list(map(datetime.fromisoformat, map(attrgetter("saved_at"), ordered)))
        if not [moment for moment in moments if moment.tzinfo is not UTC]:
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
