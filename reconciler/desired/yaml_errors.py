"""What a YAML reader complains about, in a person's words. Its two forms word it differently."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from reconciler.desired.places import Finding, Span

# A piece of the reader's own words → (what it means, what to do). The first that fits counts.
_MEANINGS: tuple[tuple[str, str, str | None], ...] = (
    (
        "mapping values are not allowed",
        "a second ':' in one value, or a line indented too far",
        "quote the text",
    ),
    (
        "could not find expected ':'",
        "a line that is no `key: value`",
        "add the ':' and a space after it, or indent it",
    ),
    ("end of stream", "a quote that is never closed", None),
    (
        "unknown escape character",
        "an unknown \\ escape in double quotes",
        "double the \\ or use single quotes",
    ),
    ("',' or ']'", "a list [ ... ] that is not closed or lacks a comma", None),
    ("',' or '}'", "a mapping { ... } that is not closed or lacks a comma", None),
    ("cannot start any token", "a character that cannot start a value", "quote the text"),
    ("expected '-' indicator", "an indentation that fits no list or mapping above it", "line it up"),
    ("did not find expected key", "an indentation that fits no list or mapping above it", "line it up"),
    ("<block end>", "an indentation that fits no list or mapping above it", "line it up"),
    ("found unexpected ':'", "a ':' in a value that is not quoted", "quote the text"),
    ("node content", "a bracket or sign where a value was expected", "quote the text"),
)
# Where these began says more than where the reader gave up.
_BEGUN_EARLIER = ("end of stream", "',' or", "escape character", "could not find expected ':'")
_NO_KEY = Finding(
    message="not valid YAML: a line that is no `key: value`", hint="add the ':' and a space after it"
)
_NO_DASH = Finding(message="not valid YAML: the first of these items has no '- '", hint="begin it with '- '")
_BARE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:[ \t]|:(?=\S))[^:'\"\[\]{}]*")
"""A line that looks like a key with its value, and has no `: ` between the two."""


def explained(error: Any, lines: Sequence[str] = ()) -> Finding:
    """Return the finding for a reader's error in these lines; one that we have no words for keeps its own."""
    return _above(error.problem_mark, lines) or _with_comment(_in_words(error), lines)


def _with_comment(finding: Finding, lines: Sequence[str]) -> Finding:
    """Say of a bracket that is not closed in its line that a # began a comment there, if so."""
    line = lines[finding.span.line - 1] if finding.span and finding.span.line <= len(lines) else ""
    if "not closed" not in finding.message or " #" not in line[finding.span.column if finding.span else 0 :]:
        return finding
    return msgspec.structs.replace(finding, hint="a # after a space begins a comment: quote the text")


def _above(mark: Any, lines: Sequence[str]) -> Finding | None:
    """Return what is wrong with the line that begins a block, where the reader stumbles over a later one.

    `lr 1` below `training:` is taken for a text that goes on; so the next key is the one too many. Items of a
    list of which the first lacks its `- ` are taken for a mapping.
    """
    block = _block_above(lines[: mark.line + 1]) if mark is not None else []
    if len(block) < 2:  # noqa: PLR2004 - the one that begins it, and the one where the reader stopped
        return None
    (number, first), (_, stumbled) = block[0], block[-1]
    if stumbled.lstrip().startswith("- ") and not first.lstrip().startswith("-"):
        return _at(_NO_DASH, number, first)
    is_alike = _indent(first) == _indent(stumbled) and len(block) == 2  # noqa: PLR2004
    return _at(_NO_KEY, number, first) if is_alike and _BARE.fullmatch(first.strip()) else None


def _block_above(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Return the lines of the block that the last one is in, with their numbers, without comments.

    A block begins after a line that ends with a colon and is indented less.
    """
    told = [(n, text) for n, text in enumerate(lines) if text.strip() and not text.lstrip().startswith("#")]
    for place in range(len(told) - 2, -1, -1):
        if _indent(told[place][1]) < _indent(told[-1][1]):
            ends = told[place][1].partition(" #")[0].rstrip().endswith(":")
            return told[place + 1 :] if ends else []
    return []


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _at(finding: Finding, number: int, line: str) -> Finding:
    return msgspec.structs.replace(finding, span=Span(number + 1, _indent(line) + 1, 1))


def _in_words(error: Any) -> Finding:
    problem = str(error.problem or error.context or "it cannot be read")
    mark = error.problem_mark or error.context_mark
    if any(piece in problem for piece in _BEGUN_EARLIER):
        mark = error.context_mark or mark
    span = Span(mark.line + 1, mark.column + 1, 1) if mark else None
    for piece, meaning, hint in _MEANINGS:
        if piece in problem:
            return Finding(span=span, message=f"not valid YAML: {meaning}", hint=hint)
    return Finding(span=span, message=f"not valid YAML: {problem}")
