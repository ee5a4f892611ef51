"""What a file is that is no JSON lines in UTF-8 at all, and the command that makes them of it. Pure.

Told from its first bytes, before any row is looked at: row by row it is wrong in words that do not help.
"""

import json
import re

from state.contract.contents import Finding

_UTF8_BOM = b"\xef\xbb\xbf"
_COMPRESSED = (
    (b"\x1f\x8b", "gzip", "gzip -dc"),
    (b"BZh", "bzip2", "bzip2 -dc"),
    (b"\xfd7zXZ\x00", "xz", "xz -dc"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
)
"""First bytes of a file, what has packed it, and the command that unpacks it."""
_WIDE = (
    (b"\xff\xfe\x00\x00", "UTF-32", "utf-32"),
    (b"\x00\x00\xfe\xff", "UTF-32", "utf-32"),
    (b"\xff\xfe", "UTF-16", "utf-16"),
    (b"\xfe\xff", "UTF-16", "utf-16"),
    (b"{\x00\x00\x00", "UTF-32", "utf-32le"),
    (b"\x00\x00\x00{", "UTF-32", "utf-32be"),
    (b"{\x00", "UTF-16", "utf-16le"),
    (b"\x00{", "UTF-16", "utf-16be"),
)
"""First bytes of a file, its encoding, and what iconv calls it: byte order marks, or a row without one."""
_LIST_OF_OBJECTS = re.compile(rb"\[\s*\{")
_OBJECT_ON_LINES = re.compile(rb'\{[ \t]*\r?\n\s*"')
_LOOKED_AT = 1024
"""Bytes at either end of a file that show whether it holds objects otherwise than one a line."""


def form_finding(content: bytes) -> Finding | None:
    """Return why no row of the file can be read; None: its rows are to be looked at one by one."""
    if not content.strip():
        found = "the file has blank lines and no row" if content else "the file is empty"
        return Finding(row=None, found=found, expected="at least one row", advice="Fill or remove it.")
    return (
        _marked(content)
        or _compressed(content)
        or _wide(content)
        or _other_line_ends(content)
        or _other_json(content)
    )


def _marked(content: bytes) -> Finding | None:
    if not content.startswith(_UTF8_BOM):
        return None
    found, advice = "the file starts with a UTF-8 byte order mark (EF BB BF)", "Save it without the mark"
    return _of_file(found, "UTF-8 without a mark", f"{advice}, for example: tail -c +4 FILE.")


def _compressed(content: bytes) -> Finding | None:
    for mark, name, command in _COMPRESSED:
        if content.startswith(mark):
            found, advice = f"the file is compressed ({name})", f"Unpack it: {command} FILE > FILE.jsonl"
            return _of_file(found, "JSON lines as plain text", advice)
    return None


def _wide(content: bytes) -> Finding | None:
    for mark, name, told in _WIDE:
        if content.startswith(mark):
            advice = f"Convert it: iconv -f {told} -t utf-8 FILE > FILE.jsonl"
            return _of_file(f"the file is {name}, not UTF-8", "UTF-8", advice)
    return None


def _other_line_ends(content: bytes) -> Finding | None:
    """Return whether rows end with a carriage return alone, as on a Mac of old: all would be one line."""
    first, _, others = content.strip().partition(b"\r")
    if b"\n" in content.strip() or not others.strip() or not _is_object(first):
        return None
    found = "the rows end with a carriage return alone (CR), which ends no line"
    advice = r"Write line feeds: tr '\r' '\n' < FILE > FILE.jsonl"
    return _of_file(found, "rows that end with a line feed (LF)", advice)


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _other_json(content: bytes) -> Finding | None:
    """Return that the file's objects are not one a line, with the filter of jq that takes it apart."""
    first = content[:_LOOKED_AT].lstrip()
    if _LIST_OF_OBJECTS.match(first) and content[-_LOOKED_AT:].rstrip().endswith(b"]"):
        found, jq_filter = "the file is one JSON list", ".[]"
    elif _OBJECT_ON_LINES.match(first):
        found, jq_filter = "the file has JSON objects that go over several lines", "."
    else:
        return None
    return _of_file(
        found, "one JSON object a line", f"Write one a line: jq -c '{jq_filter}' FILE > FILE.jsonl"
    )


def _of_file(found: str, expected: str, advice: str) -> Finding:
    return Finding(row=None, found=found, expected=expected, advice=advice)
