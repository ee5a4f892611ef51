"""The rows of the store about requests: what a person asked for, and what exactly it is."""

from typing import Literal

import msgspec

RequestKind = Literal[
    "pause",
    "resume",
    "stop",
    "checkpoint",
    "undelete",
    "approve",
    "skip",
    "retry",
    "refresh",
    "scrub",
    "export",
]

NO_REASON = "no reason given"
"""Why, where a person says nothing."""


class RequestRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a person asked of the loop or the running trainer."""

    id: int
    kind: RequestKind
    campaign: str
    """`<hero>/<id>`; of an undelete the checkpoint, `<hero>/<id>@<step>`; of an approval the digest."""
    asked_by: str
    why: str
    asked_at: str
    handled_at: str | None = None
    result: str | None = None
    quest: str | None = None
    """Of a skip or retry: the quest that it is about."""
    approves_json: str | None = None
    """Of an approval: what exactly may be dropped, a `Drops`; None of one that an older version left.
    Of a refresh: what it accepts."""
    details_json: str | None = None
    """Of a scrub or an export: what of and how, a `ScrubWish` or an `ExportWish`.
    Of a refresh that was answered: what the look found, a `Found`."""


class Drops(msgspec.Struct, frozen=True, kw_only=True):
    """What a person approved to be dropped."""

    sequences: tuple[int, ...] = ()
    """Of ledger rows."""


class ScrubWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants read again."""

    things: tuple[str, ...] = ()
    """Checkpoints and campaigns; none: all."""
    before: str
    """What was not read again since this moment."""
    rate_bytes: int | None = None
    """At most so many bytes a second; None: as the rules say."""


class ExportWish(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person wants a copy."""

    to: str
    """A folder, absolute."""
