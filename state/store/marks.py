"""The marks of people in a ledger row: empty in the rows of an older version."""

import msgspec

from state.store.rows import LedgerRow, Marks


def marks_of(row: LedgerRow) -> Marks:
    """Return what people protected a checkpoint by."""
    return msgspec.json.decode(row.marks_json, type=Marks) if row.marks_json else Marks()


def with_marks(row: LedgerRow, marks: Marks) -> LedgerRow:
    """Return the row with these marks instead."""
    return msgspec.structs.replace(row, marks_json=msgspec.json.encode(marks).decode())
