"""How the segments of a campaign began of which only its folder tells. Pure.

Its record says that, and what asked for it. Where that is lost, the rest is known still: a checkpoint names
the one it was trained from, a run what it went on from, and what lies in the folder of a segment was left by
a later one. What asked for a segment is not known then, and no line of a spec is carried out that may have.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from reconciler.plan.segments.lowered_rates import RATES
from state.contract.manifest import Manifest
from state.contract.request import RunRequest
from state.store.rows import UNKNOWN, CampaignRow, LedgerRow, SegmentRow

_REASON = "the store that knew why was lost"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a campaign."""

    row: CampaignRow
    known: tuple[SegmentRow, ...]
    """As its record says."""
    manifests: tuple[Manifest, ...]
    ledger: tuple[LedgerRow, ...]
    requests: tuple[RunRequest, ...]
    """Of its runs, oldest first."""


def rows_of_segments(told: Told) -> tuple[SegmentRow, ...]:
    """Return the segments after the first one, by number; one that left no trace is not among them."""
    trained = {one.segment for one in told.requests} | {one.segment for one in told.manifests}
    rows = {one.number: _as_far(one, trained) for one in told.known if one.number > 1}
    for number in sorted(trained - {1, *rows}):
        rows[number] = _shown(told, number, rows)
    left = _left_behind(told, rows)
    return tuple(rows[number] for number in sorted(rows)) + ((left,) if left is not None else ())


def living(segments: Iterable[SegmentRow]) -> int:
    """Return the number of the living segment: the newest rollback that is over."""
    return max((one.number for one in segments if one.kind == "rollback" and one.ready_at), default=1)


def _as_far(row: SegmentRow, trained: set[int]) -> SegmentRow:
    """Return a segment of the record, as over if it has trained since: a kill came before the record."""
    return replace(row, ready_at=row.begun_at) if row.ready_at is None and row.number in trained else row


def _shown(told: Told, number: int, before: dict[int, SegmentRow]) -> SegmentRow:
    """Return a segment that trained, as its first run or its first checkpoint shows where that began."""
    request = next((one for one in told.requests if one.segment == number), None)
    own = min((one for one in told.manifests if one.segment == number), key=_step, default=None)
    decay = request.decay if request is not None else None
    step = own.parent_step if own is not None else None
    if request is not None:
        step = decay.start_step if decay is not None else request.resume_step
    parent = _parent(told, number, step or 0, own, is_sure=request is not None)
    trunk = [one.number for one in before.values() if one.kind == "rollback" and one.number < number]
    row = _row(told, number, step or 0, parent, fallback=max(trunk, default=1))
    if decay is not None:
        return replace(row, kind="decay", updates=decay.updates, final_ratio=decay.final_ratio)
    if request is None and not any(one.segment == number and one.is_living for one in told.ledger):
        return replace(row, kind="decay")  # a release, or left again: no living history either way
    return replace(row, rate_factor=_factor(told, row, before, request))


def _left_behind(told: Told, rows: dict[int, SegmentRow]) -> SegmentRow | None:
    """Return the rollback that set the newest history aside, of which nothing else is left, if one did."""
    trunk = [1, *(one.number for one in rows.values() if one.kind == "rollback")]
    number = max(trunk)
    aside = [one.step for one in told.ledger if one.segment == number and not one.is_living]
    is_sure = number == 1 or any(one.segment == number for one in told.requests) or rows[number].is_known
    if not (aside and is_sure) or any(one.kind == "rollback" and not one.ready_at for one in rows.values()):
        return None
    here = [one for one in told.ledger if one.is_living]
    parent = max((one for one in here if one.step < min(aside)), key=_step, default=None)
    step = parent.step if parent is not None else 0
    manifest = next((one for one in told.manifests if parent and one.digest == parent.digest), None)
    row = _row(told, max([number, *rows]) + 1, step, manifest, fallback=number)
    is_cut_short = any(one.step > step for one in here)
    return replace(
        row,
        parent_digest=parent.digest if parent is not None else None,
        rate_factor=rows[number].rate_factor if number in rows else 1.0,
        ready_at=None if is_cut_short else row.ready_at,
    )


def _row(told: Told, number: int, step: int, parent: Manifest | None, *, fallback: int) -> SegmentRow:
    begun_at = min(
        (one.created_at for one in told.manifests if one.segment == number),
        default=told.row.hold_at or told.row.created_at,
    )
    return SegmentRow(
        campaign_uid=told.row.uid,
        number=number,
        kind="rollback",
        wanted=UNKNOWN,
        reason=_REASON,
        parent_segment=parent.segment if parent is not None else fallback,
        parent_step=step,
        parent_digest=parent.digest if parent is not None else None,
        begun_at=begun_at,
        ready_at=begun_at,
    )


def _parent(told: Told, number: int, step: int, own: Manifest | None, *, is_sure: bool) -> Manifest | None:
    """Return the checkpoint that a segment went on from, as its own first one names it.

    `is_sure`: its first run said the step; else its first checkpoint may be lost, and only a name counts.
    """
    earlier = [one for one in told.manifests if one.segment < number and one.step == step]
    named = own.parent_digest if own is not None else None
    exact = (one for one in earlier if named in (one.digest, one.demoted_from) and named is not None)
    return next(exact, max(earlier if is_sure else (), key=_segment, default=None))


def _factor(told: Told, row: SegmentRow, before: dict[int, SegmentRow], request: RunRequest | None) -> float:
    """Return what is left of the rates: of what the run before its first one had by the same specs."""
    parent = before.get(row.parent_segment)
    factor = parent.rate_factor if parent is not None else 1.0
    earlier = [one for one in told.requests if one.segment == row.parent_segment]
    if request is None or not earlier or earlier[-1].specs_commit != request.specs_commit:
        return factor
    return factor * min(_shares(earlier[-1], request), default=1.0)


def _shares(earlier: RunRequest, later: RunRequest) -> Iterator[float]:
    for key in RATES:
        was, is_now = getattr(earlier.config.training, key), getattr(later.config.training, key)
        if was and is_now:
            yield round(is_now / was, 9)


def _step(one: Manifest | LedgerRow) -> int:
    return one.step


def _segment(one: Manifest) -> int:
    return one.segment


def unknown_numbers(row: CampaignRow, segments: Sequence[SegmentRow]) -> list[int]:
    """Return the segments of which nobody knows what asked for them."""
    known = {one.number for one in segments if one.is_known}
    return [number for number in range(2, row.segment + 1) if number not in known]
