"""From bytes to text that a YAML reader may see: UTF-8, sane characters, no merge conflict."""

import re

from reconciler.desired.places import Finding, Span
from reconciler.desired.tree import MAX_BYTES

_LINE = r"\r\n|\r|\n"
_CONFLICT = r"(<{7}|>{7}|\|{7})( |$)|={7}$"
# Tabs, C0 and C1 controls, line breaks that only YAML 1.1 knew, and marks that reverse what is shown.
_REFUSED = "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
_NAMES = {"\t": "a tab", "\x00": "a NUL byte", "\ufeff": "a byte order mark in the middle"}


class BadText(Exception):
    """The bytes are no text for a spec; `finding` says where and why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.message)


def decode(data: bytes) -> str:
    """Return the text of a spec, without a leading byte order mark.

    Raises:
        BadText: too large, not UTF-8, a control character, a merge conflict.
    """
    if len(data) > MAX_BYTES:
        raise BadText(Finding(message=f"has more than {MAX_BYTES:,} bytes, which is too large for a spec"))
    text = _utf8(data).removeprefix("\ufeff")
    _refuse_conflicts(lines_of(text))
    if match := re.search(_REFUSED, text):
        raise BadText(_refused(text, match.start()))
    return text


def lines_of(text: str) -> list[str]:
    """Return the lines as a YAML reader counts them."""
    return re.split(_LINE, text)


def readable_lines(data: bytes) -> list[str]:
    """Return the lines of any bytes for showing to a person."""
    return lines_of(data.decode("utf-8", "replace").removeprefix("\ufeff"))


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = lines_of(data[: error.start].decode("utf-8"))
        span = Span(len(before), len(before[-1]) + 1, 1)
        message = f"is not UTF-8: byte 0x{data[error.start]:02x}"
        raise BadText(Finding(span=span, message=message, hint="save the file as UTF-8")) from error


def _refuse_conflicts(lines: list[str]) -> None:
    found = [number for number, line in enumerate(lines, 1) if re.match(_CONFLICT, line)]
    if found:
        first, last = found[0], found[-1]
        message = f"merge conflict marker{f's at lines {first}-{last}' if last > first else ''}"
        span = Span(first, 1, len(lines[first - 1]))
        raise BadText(Finding(span=span, message=message, hint="finish the merge, then commit"))


def _refused(text: str, offset: int) -> Finding:
    before = lines_of(text[:offset])
    char = text[offset]
    name = _NAMES.get(char, f"the invisible character U+{ord(char):04X}")
    hint = "use spaces" if char == "\t" else "remove it"
    return Finding(span=Span(len(before), len(before[-1]) + 1, 1), message=f"holds {name}", hint=hint)
