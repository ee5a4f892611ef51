"""What people call the segments of a campaign. Pure."""

from state.amounts import count, moment
from state.store.rows import SegmentRow


def told(row: SegmentRow) -> str:
    """Return what a segment is, in one line."""
    parent = f"step {row.parent_step:,} of segment {row.parent_segment}"
    if row.kind == "decay":
        return f"release of {parent}, {count(row.updates or 0, 'update')} while the rate falls: {row.reason}"
    rate = f", rates x {row.rate_factor:g}" if row.rate_factor != 1.0 else ""
    return f"back to {parent}, {moment(row.begun_at)}{rate}: {row.reason}"
