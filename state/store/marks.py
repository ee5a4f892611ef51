"""The marks of people in a ledger row: empty in the rows of an older version."""

import msgspec

from state.store.rows import LedgerRow, Marks


def marks_of(row: LedgerRow) -> Marks:
    """Return what people protected a checkpoint by."""
    return msgspec.json.decode(row.marks_json, type=Marks) if row.marks_json else Marks()


def both(one: Marks, other: Marks) -> Marks:
    """Return the marks of two that speak of one checkpoint: what either protects stays protected."""
    return Marks(
        pinned=one.pinned or other.pinned,
        tags=tuple(sorted({*one.tags, *other.tags})),
        milestones=tuple(sorted({*one.stood_for, *other.stood_for})) or msgspec.UNSET,
    )


def with_marks(row: LedgerRow, marks: Marks) -> LedgerRow:
    """Return the row with these marks instead."""
    return msgspec.structs.replace(row, marks_json=msgspec.json.encode(marks).decode())
