"""Text as a YAML scalar."""

import re

import msgspec

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ]*(?:[-./_][A-Za-z0-9]+)*", re.ASCII)
_WORDS_OF_YAML = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


def quoted(text: str) -> str:
    """Return the text as a YAML scalar: quoted (JSON is YAML) unless it is plainly words, or a plain path."""
    is_plain = _PLAIN.fullmatch(text.removeprefix("/")) is not None
    if is_plain and text.casefold() not in _WORDS_OF_YAML and text == text.strip():
        return text
    return msgspec.json.encode(text).decode()
