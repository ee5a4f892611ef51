"""One JSON object as a conversation, whatever its shape in the file was. Both sides read through here."""

from typing import Any

import msgspec

from state.contract.orders import RowShape
from state.contract.row_words import Objection, keys_of, kind_of, quoted

ROLES = ("system", "user", "assistant")
PLAIN_TEXT = "text"
"""Role of the one message of a row that is text, not a conversation: no template is put around it."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn of a conversation."""

    role: str
    content: str


def messages_in(value: dict[str, Any], shape: RowShape) -> tuple[Message, ...] | Objection:
    """Return the turns of a row, or why it has none that can be trained on."""
    match shape.kind:
        case "fields":
            return _of_fields(value, shape)
        case "text":
            return _of_text(value, shape.text or "text")
        case "messages":
            return _of_messages(value)


def _of_fields(value: dict[str, Any], shape: RowShape) -> tuple[Message, ...] | Objection:
    names = (shape.prompt or "", shape.completion or "")
    expected = f'the fields "{names[0]}" and "{names[1]}", as text that is not empty'
    for name in names:
        if objection := _text_objection(value, name, expected):
            return objection
    prompt = value[names[0]]
    if shape.context is not None and (context := value.get(shape.context)):
        if not isinstance(context, str):
            found = f'field "{shape.context}" is {kind_of(context)}'
            return Objection(found, "text, or nothing", "Write it as text.")
        prompt = f"{prompt}\n\n{context}"
    return Message("user", prompt), Message("assistant", value[names[1]])


def _of_text(value: dict[str, Any], name: str) -> tuple[Message, ...] | Objection:
    expected = f'the field "{name}", as text that is not empty'
    return _text_objection(value, name, expected) or (Message(PLAIN_TEXT, value[name]),)


def _text_objection(value: dict[str, Any], name: str, expected: str) -> Objection | None:
    """Return what is wrong with a field that must hold text."""
    if name not in value:
        advice = f"{keys_of(value)}. Correct the names of the fields, or the row."
        return Objection(f'there is no field "{name}"', expected, advice)
    text = value[name]
    if not isinstance(text, str):
        return Objection(f'field "{name}" is {kind_of(text)}', expected, "Write it as text.")
    if not text.strip():
        return Objection(f'field "{name}" is empty', expected, "Fill it or remove the row.")
    return None


def _of_messages(value: dict[str, Any]) -> tuple[Message, ...] | Objection:
    if "messages" not in value:
        advice = "Name its fields in a dataset, for example  fields: {prompt: question, completion: answer}."
        return Objection(f"unknown row shape, {keys_of(value).lower()}", 'the key "messages"', advice)
    turns = value["messages"]
    if not isinstance(turns, list) or not turns:
        found = "an empty list" if turns == [] else kind_of(turns)
        advice = 'Write [{"role": ..., "content": ...}, ...].'
        return Objection(f'"messages" is {found}', "a list of messages", advice)
    messages = []
    for number, turn in enumerate(turns, start=1):
        message = _message_of(turn, number)
        if not isinstance(message, Message):
            return message
        messages.append(message)
    if all(message.role != "assistant" for message in messages):
        advice = "Add the answer, or remove the row."
        return Objection("no assistant message", "at least one, to be learnt", advice)
    return tuple(messages)


def _message_of(turn: Any, number: int) -> Message | Objection:
    expected = 'an object with "role" and "content"'
    if not isinstance(turn, dict):
        return Objection(f"message {number} is {kind_of(turn)}", expected, "Correct the message.")
    if turn.keys() != {"role", "content"}:
        advice = "Other keys (tool calls, weights, ...) would change what is trained, so they are refused."
        return Objection(f"message {number}: {keys_of(turn).lower()}", expected, advice)
    role, content = turn["role"], turn["content"]
    if role not in ROLES:
        found = f"message {number} has role {quoted(role)}"
        return Objection(found, f"one of {', '.join(ROLES)}", "Correct the role.")
    if not isinstance(content, str):
        found = f"message {number} has {kind_of(content)} as content"
        return Objection(found, "text", "Write the content as text.")
    if not content.strip():
        return Objection(f"message {number} ({role}) is empty", "text", "Fill it or remove the row.")
    return Message(role, content)
