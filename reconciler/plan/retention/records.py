"""What retention looks at and what it says: a record and a verdict for each checkpoint of a campaign.

Whoever calls `retain` turns a MalformedRecords into "nothing is deleted".
"""

from collections.abc import Mapping
from typing import Literal

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A checkpoint that the ledger knows."""

    id: str
    """Names it and nothing else; compared whole, never by a part."""
    sequence: int
    """Order of recording. It decides what is newer; a step does not: steps run backwards after a rollback."""
    segment: int
    step: int
    saved_at: str
    """ISO-8601 with a zone; the clock that wrote it may have been wrong."""
    recorded_at_seconds: float
    """Observed time when it was recorded."""
    healthy: bool
    complete: bool = True
    """Lies there whole, as it was recorded. What does not is kept: it is not understood."""
    gone: bool = False
    """Dropped before. It gets no verdict; its save time still bounds those after it."""
    metrics: Mapping[str, float | None] = {}
    measured_on: str = ""
    """The held-out rows that its held-out loss was measured on, in words; empty: it has none."""
    tags: tuple[str, ...] = ()
    size_bytes: int = 0


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Something needs a checkpoint: a run, a job, a transfer, another campaign, a copy not yet verified."""

    id: str
    """Of the record."""
    reason: str
    """`resume point`, `starting point of tiny/campaign-002`, ..."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is to become of a checkpoint."""

    id: str
    decision: Literal["keep", "drop"]
    reasons: tuple[str, ...]
    """Never empty: every reason to keep it, or why there is none."""


class MalformedRecords(Exception):
    """The records contradict each other or cannot be read, so nothing can be said about any of them."""
