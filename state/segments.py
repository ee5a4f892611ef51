"""Which part of a campaign's segments its living history is. Pure."""

from collections.abc import Iterable

from state.store.rows import SegmentRow


def living_bounds(living: int, segments: Iterable[SegmentRow]) -> dict[int, int | None]:
    """Return the segments of the living history, each with the last step that counts; None: all of them."""
    rows = {one.number: one for one in segments}
    found: dict[int, int | None] = {living: None}
    number: int | None = living
    while number in rows and (parent := rows[number]).parent_segment not in found:
        number = parent.parent_segment
        found[number] = parent.parent_step
    return found
