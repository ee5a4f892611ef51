"""Text that was damaged on its way, and text that goes round in circles."""

import re
from collections.abc import Iterator

from state.contract.row_words import Objection, quoted

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_TWICE_ENCODED = re.compile(
    "[\u00c2-\u00c5\u00e2\u00f0][\u0080-\u00ff\u0152-\u02dc\u2013-\u203a\u20ac\u2122]{1,3}"
)
"""UTF-8 that was read as Windows-1252: a lead byte's letter, then those of the bytes that follow."""
_LOST, _MARK = "\ufffd", "\ufeff"
_WINDOW = 12
_MIN_REPEATED = 240
_MIN_DISTINCT = 0.2


def encoding_objections(text: str) -> Iterator[Objection]:
    """Yield the first sign of each kind that a text was converted wrongly."""
    if (place := text.find(_LOST)) >= 0:
        found = f"U+FFFD at character {place + 1}: a character was lost when the text was converted"
        yield Objection(found, "the character itself", "Convert the original again.")
    if (place := text.find(_MARK)) >= 0:
        found = f"a byte order mark (U+FEFF) at character {place + 1}"
        yield Objection(found, "text without marks", "Remove it.")
    if control := _CONTROL.search(text):
        found = f"the control character U+{ord(control[0]):04X} at character {control.start() + 1}"
        yield Objection(found, "text, line ends and tabs", "Remove it.")
    if (twice := _twice_encoded(text)) is not None:
        yield twice


def is_going_round(text: str) -> bool:
    """Does a text say the same again and again?

    Of its windows of 12 characters fewer than one in five are different; shorter texts than 240 characters
    are not judged.
    """
    windows = len(text) - _WINDOW + 1
    if len(text) < _MIN_REPEATED:
        return False
    distinct = {text[start : start + _WINDOW] for start in range(windows)}
    return len(distinct) < _MIN_DISTINCT * windows


def _twice_encoded(text: str) -> Objection | None:
    for match in _TWICE_ENCODED.finditer(text):
        for stop in range(2, len(match[0]) + 1):
            meant = _decoded(match[0][:stop])
            if meant is not None:
                found = f"{quoted(match[0][:stop])} at character {match.start() + 1}"
                expected = f"{quoted(meant)}: the text was read in the wrong encoding once"
                return Objection(found, expected, "Convert the original again, as UTF-8.")
    return None


def _decoded(text: str) -> str | None:
    """Return what a text is whose bytes are UTF-8 and were read as Windows-1252; None: it is no such text."""
    try:
        meant = text.encode("cp1252").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None
    return meant if len(meant) == 1 else None
