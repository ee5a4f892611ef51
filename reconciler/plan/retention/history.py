"""The records in the order in which they were recorded, checked, with save times that never run backwards.

Checks look at one field of all records at a time, in C where that can be: a ledger may have 100,000 rows.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate, compress, islice
from math import isfinite
from operator import and_, attrgetter, le, lt
from typing import NamedTuple

from reconciler.plan.retention.records import MalformedRecords, Record


class History(NamedTuple):
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
    if any(map(attrgetter("gone"), ordered)):
        times = [time for time, record in zip(times, ordered, strict=True) if not record.gone]
        ordered = [record for record in ordered if not record.gone]
        ids, segments, steps, recorded = _columns(ordered)
    if len(set(steps)) != len(steps):  # quicker, and mostly enough
        _check_unique(list(zip(segments, steps, strict=True)), "segment and step")
    is_there, is_healthy = [one.complete for one in ordered], [one.healthy for one in ordered]
    strange = [at for at, one in enumerate(is_there) if not one] if False in is_there else []
    healthy = list(compress(range(len(ordered)), map(and_, is_there, is_healthy) if strange else is_healthy))
    return History(ordered, times, healthy, strange, ids, segments, steps, recorded)


def _in_order(records: list[Record]) -> list[Record]:
    sequences = [record.sequence for record in records]
    _check_not_negative(sequences, "sequence")
    if all(map(lt, sequences, islice(sequences, 1, None))):
        return records
    _check_unique(sequences, "sequence")
    return sorted(records, key=attrgetter("sequence"))


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
