"""Rows as they are."""

from state.contract.quest_rows import Row
from state.contract.row_shapes import Message


def transform(row: Row) -> tuple[Message, ...]:
    """Return the row's turns."""
    return row.messages
