"""The records in the order in which they were recorded, checked, with save times that never run backwards.

Checks look at one field of all records at a time, in C where that can be: a ledger may have 100,000 rows.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate, islice
from math import isfinite
from operator import attrgetter, lt

import msgspec

from reconciler.plan.retention.records import MalformedRecords, Record


class History(msgspec.Struct, frozen=True):
    """The records of one campaign that are there, oldest first; other modules speak of them by position."""

    records: Sequence[Record]
    times: Sequence[datetime]
    """When each was saved, in UTC: the latest of its own save time and all before it, those gone included."""
    healthy: Sequence[int]
    """Positions of the complete healthy ones: those that rules count."""
    strange: Sequence[int]
    """Positions of those that do not lie there whole."""
    ids: Sequence[str]
    segments: Sequence[int]
    steps: Sequence[int]
    recorded: Sequence[float]
    """Observed seconds when each was recorded."""
    measured: Mapping[str, int]
    """Held-out rows → the sequence of the newest record measured on them, gone or not."""
    is_straight: bool
    """One segment, in which each step is larger than the one before it: nothing was ever rewound."""


def history_of(records: Iterable[Record]) -> History:
    """Return the records as a history, whatever order they come in.

    Raises:
        MalformedRecords: an id or a sequence number occurs twice, or a place does among those that are there;
            a number or time cannot be used.
    """
    ordered = _in_order(list(records))
    ids, segments, steps, recorded = _columns(ordered)
    _check_unique(ids, "id")
    times = _never_backwards(_moments(ordered))
    measured = {one.measured_on: one.sequence for one in ordered if one.measured_on}
    special = [one for one in ordered if one.gone or not one.complete]
    if special:
        times = [time for time, record in zip(times, ordered, strict=True) if not record.gone]
        ordered = [record for record in ordered if not record.gone]
        ids, segments, steps, recorded = _columns(ordered)
    is_straight = len(set(segments)) == 1 and _is_rising(steps)
    if not is_straight:
        _check_unique(list(zip(segments, steps, strict=True)), "segment and step")
    strange = [at for at, one in enumerate(ordered) if not one.complete] if special else []
    healthy = [at for at, one in enumerate(ordered) if one.healthy and one.complete]
    return History(ordered, times, healthy, strange, ids, segments, steps, recorded, measured, is_straight)


def _is_rising(values: Sequence[int]) -> bool:
    """Is each larger than the one before it? Mostly so: then they need no sorting, and none is twice."""
    return all(map(lt, values, islice(values, 1, None)))


def _in_order(records: list[Record]) -> list[Record]:
    sequences = [record.sequence for record in records]
    if not _is_rising(sequences):
        _check_unique(sequences, "sequence")
        records = sorted(records, key=attrgetter("sequence"))
    _check_not_negative([record.sequence for record in records[:1]], "sequence")
    return records


def _columns(ordered: Sequence[Record]) -> tuple[list[str], list[int], list[int], list[float]]:
    """Return ids, segments, steps and when each was recorded, checked."""
    segments, steps = [one.segment for one in ordered], [one.step for one in ordered]
    _check_not_negative(segments, "segment")
    _check_not_negative(steps, "step")
    recorded = [one.recorded_at_seconds for one in ordered]
    if not isfinite(sum(recorded)):  # a sum with one that is not finite is not finite
        _check_seconds(ordered)
    return [one.id for one in ordered], segments, steps, recorded


def _check_not_negative(values: Sequence[int], name: str) -> None:
    if min(values, default=0) < 0:
        raise MalformedRecords(f"a checkpoint has a {name} below 0")


def _check_seconds(ordered: Sequence[Record]) -> None:
    for record in ordered:
        if not isfinite(record.recorded_at_seconds):
            raise MalformedRecords(f"{record.id}: recorded at {record.recorded_at_seconds}; expected seconds")


def _check_unique(values: Sequence[Hashable], name: str) -> None:
    if len(set(values)) != len(values):
        value, times = Counter(values).most_common(1)[0]
        raise MalformedRecords(f"{times} checkpoints have the {name} {value!r}; expected one")


def _never_backwards(times: list[datetime]) -> list[datetime]:
    """Return the times, each at least the one before it."""
    return times if times == sorted(times) else list(accumulate(times, max))


def _moments(ordered: Sequence[Record]) -> list[datetime]:
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
