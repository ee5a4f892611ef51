"""Quest files: one JSON object a line. Both sides read them through here, so that both refuse the same rows.

The reconciler checks a file before it is queued; the trainer reads its snapshot. No torch, no clock.
Every mistake names its row (counted from 1), what was found, what was expected and what to do.
"""

import errno
import hashlib
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from state.contract.contents import MAX_FINDINGS, Finding
from state.contract.file_forms import form_finding
from state.contract.orders import RowShape
from state.contract.row_lines import at_row, object_in
from state.contract.row_shapes import Message, messages_in
from state.contract.row_words import Objection


class Row(msgspec.Struct, frozen=True):
    """One line of a quest as a conversation, whatever its shape in the file was."""

    index: int
    """Counted from 0; messages for people count from 1."""
    messages: tuple[Message, ...]


class QuestFileError(Exception):
    """A quest file that cannot be trained on, with the first mistakes (at most ten)."""

    def __init__(self, path: str, findings: Sequence[Finding], num_more: int = 0) -> None:
        """`num_more`: how many further mistakes there are, where they were counted."""
        self.path = path
        self.findings = tuple(findings)
        self.num_more = num_more
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
        raise _file_error(path, f"cannot be read ({error.strerror})", unreadable_advice(error)) from error


def unreadable_advice(error: OSError) -> str:
    """Return what helps where a quest file cannot be opened."""
    if error.errno == errno.ELOOP:
        return "Correct the link, which leads back to itself, or put the file there."
    return "Give read permission to it."


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
    lines = lines_of(content, path)
    findings: list[Finding] = []
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


def lines_of(content: bytes, path: str) -> list[bytes]:
    """Return the lines of a quest file.

    Raises:
        QuestFileError: it is empty, or no file of JSON lines in UTF-8 at all.
    """
    if (finding := form_finding(content)) is not None:
        raise QuestFileError(path, [finding])
    return content.removesuffix(b"\n").split(b"\n")


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


def _read_line(line: bytes, index: int, shape: RowShape, *, is_torn_end: bool) -> Row | Finding:
    value = object_in(line, index, is_torn_end=is_torn_end)
    if isinstance(value, Finding):
        return value
    found = messages_in(value, shape)
    return at_row(index, found) if isinstance(found, Objection) else Row(index, found)


def _file_error(path: Path, found: str, advice: str) -> QuestFileError:
    return QuestFileError(str(path), [Finding(row=None, found=found, expected="a JSONL file", advice=advice)])
