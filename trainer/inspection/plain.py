"""What a text says, however it is written: what is compared where one text must not be another one.

Folded: how letters are encoded (full-width, ligatures, joined or apart: Unicode's compatibility forms), large
and small, characters that nobody sees, spaces, and the mark at the end. Not folded: what has another meaning,
such as the 2 in x² or the mark in 5!.
"""

import re
import unicodedata

_MEANS_MORE = ("<super>", "<sub>", "<circle>", "<square>", "<fraction>")
"""Forms that NFKC writes as ordinary digits and letters: 5² would be 52."""
_END = re.compile(r"(?:(?<!\d)!|[.?…。,;:\s]|(?<=[?.])!)+$")
_MARKS = ',;:.?"“”‘’…'


def plain(text: str) -> str:
    """Return a text in small letters, with single spaces, without invisible characters and the last mark."""
    folded = " ".join((text if text.isascii() else _folded(text)).casefold().split())
    return _END.sub("", folded) or folded


def bare(text: str) -> str:
    """Return a plain text without the marks around its words; what stands inside of them (3.5, 3-4) stays."""
    return " ".join(word.strip(_MARKS) for word in plain(text).split())


def _folded(text: str) -> str:
    forms = {character: _form(character) for character in set(text)}
    return unicodedata.normalize("NFC", "".join(forms[character] for character in text))


def _form(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    if unicodedata.decomposition(character).startswith(_MEANS_MORE):
        return character
    return unicodedata.normalize("NFKC", character)
