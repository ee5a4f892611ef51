"""Who speaks when: an order of turns that the file's rows may have, and that is seldom meant."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from state.contract.row_shapes import PLAIN_TEXT, Message
from state.contract.row_words import Objection


def turn_objections(messages: Sequence[Message]) -> Iterator[Objection]:
    """Yield what is unusual about the roles of a conversation; plain text has none."""
    if messages[0].role == PLAIN_TEXT:
        return
    roles = [message.role for message in messages]
    yield from _system_objections(roles)
    spoken = [(place, role) for place, role in enumerate(roles, start=1) if role != "system"]
    if spoken[0][1] == "assistant":
        yield Objection("it begins with an answer", "a question before it", "Add the question.")
    for (_, before), (place, role) in pairwise(spoken):
        if before == role:
            found = f"messages {place - 1} and {place} are both the {role}'s"
            yield Objection(found, "user and assistant in turn", "Join them, or add what is missing.")
    if roles[-1] != "assistant":
        found = f"the last message is the {roles[-1]}'s: nothing of it is learnt"
        yield Objection(found, "an answer at the end", "Add the answer, or remove the message.")


def _system_objections(roles: Sequence[str]) -> Iterator[Objection]:
    late = next((place for place, role in enumerate(roles[1:], start=2) if role == "system"), None)
    if late is not None:
        found = f"message {late} is a system message"
        yield Objection(found, "one at the beginning, or none", "Move it to the beginning.")
