"""One line of a quest file as a JSON object, or what is wrong with it in a person's words. Pure."""

import codecs
import json
import re
from typing import Any

import msgspec

from state.contract.contents import Finding
from state.contract.row_words import Objection, kind_of, quoted
from state.nesting import MAX_LEVELS, keys_and_levels

MAX_LINE_BYTES = 8 * 1024 * 1024
_AFTER_A_KEY = re.compile(rb'"\s*:')
_EXPECTED_JSON = "one JSON object a line (RFC 8259)"


def at_row(index: int, objection: Objection) -> Finding:
    """Return the finding for the row at this index (from 0)."""
    return _at(index, *objection)


def object_in(line: bytes, index: int, *, is_torn_end: bool) -> dict[str, Any] | Finding:
    """Return the object in a line; `is_torn_end`: it is the last one and has no line end."""
    if len(line) > MAX_LINE_BYTES:
        return _at(index, f"{len(line):,} bytes", f"at most {MAX_LINE_BYTES:,} bytes a row", "Split the row.")
    try:
        value = msgspec.json.decode(line)
    except UnicodeDecodeError:
        return _not_utf8(line, index)
    except msgspec.DecodeError as error:
        if line.startswith(codecs.BOM_UTF8):
            return _marked(index)
        return _malformed(line, index, error, is_torn_end=is_torn_end)
    except RecursionError:
        return _too_deep(index)
    return _only_object(value, line, index)


def _only_object(value: Any, line: bytes, index: int) -> dict[str, Any] | Finding:
    """Return what was read from a line when it is an object that everybody reads alike."""
    if not isinstance(value, dict):
        advice = "Write an object with the keys that the quest names."
        return _at(index, f"{kind_of(value)} instead of an object", _EXPECTED_JSON, advice)
    num_keys, num_levels = keys_and_levels(value)
    if num_levels > MAX_LEVELS:
        return _too_deep(index)
    try:
        twice = _key_twice(line, num_keys)
    except RecursionError:
        return _too_deep(index)
    return value if twice is None else _at_key_twice(index, twice)


def _marked(index: int) -> Finding:
    found = "the row starts with a UTF-8 byte order mark (EF BB BF), as where files were joined"
    return _at(index, found, _EXPECTED_JSON, "Remove the mark from the line.")


def _too_deep(index: int) -> Finding:
    return _at(index, "JSON that is nested too deeply", f"at most {MAX_LEVELS} levels", "Flatten the row.")


def _at_key_twice(index: int, key: str) -> Finding:
    found = f"the key {quoted(key)} twice in one object"
    return _at(index, found, "each key once", "Remove one of them: nobody says which of the two counts.")


def _key_twice(line: bytes, num_keys: int) -> str | None:
    """Return a key that stands twice in an object of the line; None when none does.

    Every key is a quote and a colon behind it; where there are no more of these than keys were found, no key
    was lost. Only else the line is read again.

    Raises:
        RecursionError: what a second key has hidden is nested too deeply.
    """
    if len(_AFTER_A_KEY.findall(line)) <= num_keys:
        return None
    twice: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                twice.append(key)
            seen.add(key)

    json.loads(line, object_pairs_hook=note)
    return twice[0] if twice else None


def _malformed(line: bytes, index: int, error: msgspec.DecodeError, *, is_torn_end: bool) -> Finding:
    if not line.strip():
        return _at(index, "an empty line", _EXPECTED_JSON, "Remove the line.")
    if not_json := _what_only_a_lenient_reader_takes(line):
        return _at(index, not_json, _EXPECTED_JSON, "Write null, leave the field out, or correct the text.")
    if not _is_utf8(line):
        return _not_utf8(line, index)
    if is_torn_end:
        found = "the file is torn at the end: the last line is not complete and has no line end"
        return _at(index, found, _EXPECTED_JSON, "Copy the file again, or remove its last line.")
    if "truncated" in str(error):
        found = "the row is torn in the middle: the line ends before its JSON does"
        return _at(index, found, _EXPECTED_JSON, "Copy or generate the file again.")
    return _at(index, f"not JSON: {quoted(line.decode())} ({error})", _EXPECTED_JSON, "Correct the row.")


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
        return _at(index, found, "UTF-8", "Convert the file, for example: iconv -f latin1 -t utf-8 FILE.")
    return _at(index, "text with half of a surrogate pair", "UTF-8", "Correct the escape in the row.")


def _at(index: int, found: str, expected: str, advice: str) -> Finding:
    return Finding(row=index + 1, found=found, expected=expected, advice=advice)
