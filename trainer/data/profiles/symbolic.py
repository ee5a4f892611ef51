"""Symbolic reasoning: each answer stands between two marks, by which it is found in a longer text."""

from state.contract.quest_rows import Row
from state.contract.row_shapes import Message

START, END = "<<ANS_START>>", "<<ANS_END>>"


def transform(row: Row) -> tuple[Message, ...]:
    """Return the row's turns, each answer between the marks; one that has them already is left alone."""
    return tuple(_marked(message) for message in row.messages)


def _marked(message: Message) -> Message:
    if message.role != "assistant" or message.content.lstrip().startswith(START):
        return message
    return Message("assistant", f"{START} {message.content} {END}")
