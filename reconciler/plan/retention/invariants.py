"""What must hold of every result of `retain`, checked on every real plan. A broken one deletes nothing.

Written apart from the code that it checks: it asks what a verdict says, never how it came about.
"""

from collections.abc import Collection, Sequence

from msgspec import structs

from reconciler.plan.retention.records import MalformedRecords, Record, Reference, Verdict
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Rules


class BrokenPromise(MalformedRecords):
    """A result of `retain` that must not be acted upon; a defect of this software."""


def check_verdicts(
    verdicts: Sequence[Verdict],
    records: Sequence[Record],
    rules: Rules,
    pins: Collection[str],
    references: Collection[Reference],
    now: float,
) -> None:
    """Check that the verdicts split the records, drop nothing protected, and would not go on dropping.

    Raises:
        BrokenPromise: one of these does not hold; names the checkpoint.
    """
    dropped = {verdict.id for verdict in verdicts if verdict.decision == "drop"}
    there = [record for record in records if not record.gone]
    _check_split(verdicts, there)
    _check_protected(dropped, there, pins, references)
    _check_something_stays(dropped, there)
    if not dropped:
        return
    after = [structs.replace(record, gone=record.gone or record.id in dropped) for record in records]
    for again in retain(after, rules, pins, references, now):
        if again.decision == "drop":
            raise BrokenPromise(f"{again.id}: kept at first, dropped at the second look")


def _check_split(verdicts: Sequence[Verdict], records: Sequence[Record]) -> None:
    if sorted(verdict.id for verdict in verdicts) != sorted(record.id for record in records):
        raise BrokenPromise(f"{len(verdicts)} verdicts for {len(records)} checkpoints: not one for each")
    for verdict in verdicts:
        if not verdict.reasons:
            raise BrokenPromise(f"{verdict.id}: {verdict.decision} without a reason")


def _check_protected(
    dropped: Collection[str],
    records: Sequence[Record],
    pins: Collection[str],
    references: Collection[Reference],
) -> None:
    wanted = {*pins, *(reference.id for reference in references)}
    for record in records:
        if record.id in dropped and (record.id in wanted or not record.complete):
            raise BrokenPromise(f"{record.id}: dropped, though it is pinned, needed or not understood")


def _check_something_stays(dropped: Collection[str], records: Sequence[Record]) -> None:
    for usable in (
        [record for record in records if record.complete],
        [record for record in records if record.complete and record.healthy],
    ):
        if usable and max(usable, key=lambda record: record.sequence).id in dropped:
            raise BrokenPromise("the newest checkpoint would be dropped")
