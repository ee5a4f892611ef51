"""Quest files: one JSON object a line. Both sides read them through here, so that both refuse the same rows.

The reconciler checks a file before it is queued; the trainer reads its snapshot. No torch, no clock.
Every mistake names its row (counted from 1), what was found, what was expected and what to do.
"""

import hashlib
import json
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from state.contract.orders import RowShape

MAX_LINE_BYTES = 8 * 1024 * 1024
MAX_FINDINGS = 10
ROLES = ("system", "user", "assistant")
_UTF8_BOM = b"\xef\xbb\xbf"
_MAX_QUOTED = 60
_EXPECTED_JSON = "one JSON object a line (RFC 8259)"


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn of a conversation."""

    role: str
    content: str


class Row(msgspec.Struct, frozen=True):
    """One line of a quest as a conversation, whatever its shape in the file was."""

    index: int
    """Counted from 0; messages for people count from 1."""
    messages: tuple[Message, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake in a quest file."""

    row: int | None
    """Counted from 1; None: about the whole file."""
    found: str
    expected: str
    advice: str

    def __str__(self) -> str:
        where = "" if self.row is None else f"row {self.row}: "
        return f"{where}{self.found}; expected {self.expected}. {self.advice}"


class QuestFileError(Exception):
    """A quest file that cannot be trained on, with all that was found (at most ten mistakes)."""

    def __init__(self, path: str, findings: Sequence[Finding]) -> None:
        self.path = path
        self.findings = tuple(findings)
        super().__init__("\n".join(f"{path}: {finding}" for finding in self.findings))


class QuestSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a checked quest file is."""

    num_rows: int
    size_bytes: int
    sha256: str
    """`sha256:` and 64 hex digits over the file's bytes."""


def read_quest_bytes(path: Path) -> bytes:
    """Return the content of a quest file.

    Raises:
        QuestFileError: there is no such file, it is no regular file, or it cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _file_error(path, "not a regular file", "Name a JSONL file.")
        return path.read_bytes()
    except FileNotFoundError:
        raise _file_error(path, "there is no such file", "Correct the path or put the file there.") from None
    except OSError as error:
        raise _file_error(
            path, f"cannot be read ({error.strerror})", "Give read permission to it."
        ) from error


def check_rows(content: bytes, path: str, shape: RowShape) -> QuestSummary:
    """Return the summary of a quest file in which every row can be trained on.

    Raises:
        QuestFileError: with up to ten findings, in the order of the rows.
    """
    num_rows = sum(1 for _ in rows(content, path, shape))
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    return QuestSummary(num_rows=num_rows, size_bytes=len(content), sha256=digest)


def rows(content: bytes, path: str, shape: RowShape) -> Iterator[Row]:
    """Yield the rows of a quest file up to its first mistake; then read on and raise with all mistakes.

    Raises:
        QuestFileError: with up to ten findings, in the order of the rows.
    """
    findings = list(_findings_of_file(content))
    lines = [] if findings else content.removesuffix(b"\n").split(b"\n")
    last = len(lines) - 1 if not content.endswith(b"\n") else None
    for index, line in enumerate(lines):
        found = _read_line(line, index, shape, is_torn_end=index == last)
        if isinstance(found, Finding):
            findings.append(found)
        elif not findings:
            yield found
        if len(findings) == MAX_FINDINGS:
            break
    if findings:
        raise QuestFileError(path, findings)


def row_digest(messages: Iterable[Message]) -> str:
    """Return 64 hex digits that name the content of a row: equal conversations have equal digests.

    SHA-256 over the JSON array of `[role, content]` pairs; where in which file a row stands does not matter.
    """
    pairs = [(message.role, message.content) for message in messages]
    return hashlib.sha256(msgspec.json.encode(pairs)).hexdigest()


def is_held_out(digest: str, fraction: float) -> bool:
    """Does the row with this digest belong to the share that is never trained on?

    Decided by the content alone: duplicates fall on the same side, in every epoch, run and file.
    """
    return int(digest[:13], 16) < fraction * 16**13


def _findings_of_file(content: bytes) -> Iterator[Finding]:
    if not content.strip():
        yield Finding(
            row=None, found="the file is empty", expected="at least one row", advice="Fill or remove it."
        )
    elif content.startswith(_UTF8_BOM):
        yield Finding(
            row=None,
            found="the file starts with a UTF-8 byte order mark (EF BB BF)",
            expected="UTF-8 without a mark",
            advice="Save it without the mark, for example: tail -c +4 FILE.",
        )


def _read_line(line: bytes, index: int, shape: RowShape, *, is_torn_end: bool) -> Row | Finding:
    if len(line) > MAX_LINE_BYTES:
        return _finding(
            index, f"{len(line):,} bytes", f"at most {MAX_LINE_BYTES:,} bytes a row", "Split the row."
        )
    try:
        value = msgspec.json.decode(line)
    except UnicodeDecodeError:
        return _not_utf8(line, index)
    except msgspec.DecodeError as error:
        return _malformed(line, index, error, is_torn_end=is_torn_end)
    except RecursionError:
        return _finding(index, "JSON that is nested too deeply", _EXPECTED_JSON, "Flatten the row.")
    if not isinstance(value, dict):
        advice = "Write an object with the keys that the quest names."
        return _finding(index, f"{_kind_of(value)} instead of an object", _EXPECTED_JSON, advice)
    found = _messages_of_fields(value, shape) if shape.kind == "fields" else _messages_of(value)
    return _finding(index, *found) if isinstance(found[0], str) else Row(index, found)


def _messages_of_fields(value: dict[str, Any], shape: RowShape) -> tuple[Message, ...] | tuple[str, str, str]:
    """Return user and assistant turns, or what was found, expected and advised."""
    names = (shape.prompt or "", shape.completion or "")
    expected = f'the fields "{names[0]}" and "{names[1]}", as text that is not empty'
    for name in names:
        if name not in value:
            advice = f"{_keys_of(value)}. Correct the quest's fields, or the row."
            return f'there is no field "{name}"', expected, advice
        text = value[name]
        if not isinstance(text, str):
            return f'field "{name}" is {_kind_of(text)}', expected, "Write it as text."
        if not text.strip():
            return f'field "{name}" is empty', expected, "Fill it or remove the row."
    return Message("user", value[names[0]]), Message("assistant", value[names[1]])


def _messages_of(value: dict[str, Any]) -> tuple[Message, ...] | tuple[str, str, str]:
    """Return the turns of a row of messages, or what was found, expected and advised."""
    if "messages" not in value:
        advice = "Name the fields in the quest, for example  fields: {prompt: question, completion: answer}."
        return f"unknown row shape, {_keys_of(value).lower()}", 'the key "messages"', advice
    turns = value["messages"]
    if not isinstance(turns, list) or not turns:
        found = "an empty list" if turns == [] else _kind_of(turns)
        return f'"messages" is {found}', "a list of messages", 'Write [{"role": ..., "content": ...}, ...].'
    messages = []
    for number, turn in enumerate(turns, start=1):
        message = _message_of(turn, number)
        if not isinstance(message, Message):
            return message
        messages.append(message)
    if all(message.role != "assistant" for message in messages):
        return "no assistant message", "at least one, to be learnt", "Add the answer, or remove the row."
    return tuple(messages)


def _message_of(turn: Any, number: int) -> Message | tuple[str, str, str]:
    expected = 'an object with "role" and "content"'
    if not isinstance(turn, dict):
        return f"message {number} is {_kind_of(turn)}", expected, "Correct the message."
    if turn.keys() != {"role", "content"}:
        advice = "Other keys (tool calls, weights, ...) would change what is trained, so they are refused."
        return f"message {number}: {_keys_of(turn).lower()}", expected, advice
    role, content = turn["role"], turn["content"]
    if role not in ROLES:
        return f"message {number} has role {_quoted(role)}", f"one of {', '.join(ROLES)}", "Correct the role."
    if not isinstance(content, str):
        return f"message {number} has {_kind_of(content)} as content", "text", "Write the content as text."
    if not content.strip():
        return f"message {number} ({role}) is empty", "text", "Fill it or remove the row."
    return Message(role, content)


def _malformed(line: bytes, index: int, error: msgspec.DecodeError, *, is_torn_end: bool) -> Finding:
    if not line.strip():
        return _finding(index, "an empty line", _EXPECTED_JSON, "Remove the line.")
    if not_json := _what_only_a_lenient_reader_takes(line):
        return _finding(
            index, not_json, _EXPECTED_JSON, "Write null, leave the field out, or correct the text."
        )
    if not _is_utf8(line):
        return _not_utf8(line, index)
    if is_torn_end:
        found = "the file is torn at the end: the last line is not complete and has no line end"
        return _finding(index, found, _EXPECTED_JSON, "Copy the file again, or remove its last line.")
    if "truncated" in str(error):
        found = "the row is torn in the middle: the line ends before its JSON does"
        return _finding(index, found, _EXPECTED_JSON, "Copy or generate the file again.")
    return _finding(
        index, f"not JSON: {_quoted(line.decode())} ({error})", _EXPECTED_JSON, "Correct the row."
    )


def _what_only_a_lenient_reader_takes(line: bytes) -> str | None:
    """Say what keeps a line from being JSON that Python's own reader would let pass; None: it would not."""
    met: list[str] = []
    try:
        json.loads(line, parse_constant=met.append)
    except (ValueError, RecursionError):
        return None
    return (
        f"{met[0]}, which is not a number in JSON"
        if met
        else "a number out of range or half a surrogate pair"
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _not_utf8(line: bytes, index: int) -> Finding:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        found = f"byte 0x{line[error.start]:02x} at column {error.start + 1} is not UTF-8"
        return _finding(
            index, found, "UTF-8", "Convert the file, for example: iconv -f latin1 -t utf-8 FILE."
        )
    return _finding(index, "text with half of a surrogate pair", "UTF-8", "Correct the escape in the row.")


def _finding(index: int, found: str, expected: str, advice: str) -> Finding:
    return Finding(row=index + 1, found=found, expected=expected, advice=advice)


def _file_error(path: Path, found: str, advice: str) -> QuestFileError:
    return QuestFileError(str(path), [Finding(row=None, found=found, expected="a JSONL file", advice=advice)])


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {_quoted(value)}"
        case list():
            return "a list"
        case _:
            return "an object"


def _keys_of(value: dict[str, Any]) -> str:
    if not value:
        return "Found no keys"
    return "Found the keys " + ", ".join(_quoted(key) for key in list(value)[:8])


def _quoted(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_QUOTED else text[: _MAX_QUOTED - 1] + "…"
