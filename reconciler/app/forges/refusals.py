"""What a forge says when it refuses: its status, its own words, and whether it would take the same later."""

from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

import msgspec

from reconciler.app.surroundings.errors import Failed

_MOST_BYTES = 64 * 1024
_LONGEST = 300
_WORDS = ("message", "error_description", "error")
"""Under which of these a forge says why: GitHub and Gitea under the first, GitLab under any."""


class Refused(Failed):
    """A forge refused what it was asked."""

    def __init__(self, message: str, status: int, *, is_for_now: bool) -> None:
        super().__init__(message)
        self.status = status
        self.is_for_now = is_for_now
        """It was asked too often; it would take the same later."""


def refused(asked: str, error: HTTPError, token: str) -> Refused:
    """Return the refusal as an error for a person, with the forge's own words and without the token.

    Asked too often is 429, or 403 with `Retry-After`, with none remaining, or with words of a rate limit:
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    words = _words_of(error).replace(token, "…") if token else _words_of(error)
    wait = error.headers.get("Retry-After")
    is_spent = error.headers.get("X-RateLimit-Remaining") == "0"
    is_too_often = wait is not None or is_spent or "rate limit" in words.casefold()
    is_for_now = error.code == HTTPStatus.TOO_MANY_REQUESTS or (
        error.code == HTTPStatus.FORBIDDEN and is_too_often
    )
    told = ": ".join(part for part in (asked, f"{error.code} {error.reason}", words) if part)
    told += "; it was asked too often, so nothing was changed: run this again later" if is_for_now else ""
    told += f" (Retry-After: {_printable(wait)})" if is_for_now and wait else ""
    return Refused(told, error.code, is_for_now=is_for_now)


def _words_of(error: HTTPError) -> str:
    """Return what a forge's answer says in words; nothing where it is not one of JSON, or cannot be read."""
    said: Any = None
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError, HTTPException, OSError):
        said = msgspec.json.decode(error.read(_MOST_BYTES))
    if not isinstance(said, dict):
        return ""
    found = (said[name] for name in _WORDS if said.get(name))
    words = next(found, "")
    return _printable(words if isinstance(words, str) else msgspec.json.encode(words).decode())


def _printable(text: str) -> str:
    shown = "".join(char if char.isprintable() else " " for char in text).strip()
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
