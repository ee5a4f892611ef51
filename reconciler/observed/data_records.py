"""What was seen of rows to train: the realm's data, the inbox, quest files. Pure as `records`."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from reconciler.observed.records import ForeignFolder
from state.contract.contents import Continued, Finding, Sieved


class SnapshotFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The quest contents that lie in the realm's data."""

    sizes: Mapping[str, int] = {}
    """Digest → size in bytes, by digest."""
    problem: str | None = None
    """Why the folder could not be read. Then the rest is unknown, not empty."""


InboxState = Literal["settled", "changing", "open", "future", "torn", "unreadable"]


class InboxFile(msgspec.Struct, frozen=True, kw_only=True):
    """A `*.jsonl` file that somebody dropped into the inbox."""

    name: str
    """Its path below the inbox."""
    path: str
    state: InboxState
    """Settled: nobody changed it for a while, nobody has it open for writing, its last line is complete
    (it ends, or is JSON that is whole)."""
    size_bytes: int = 0
    mtime_ns: int = 0
    arrived_ns: int = 0
    """When it came here or was changed last, as the kernel notes it (ctime): no program sets this time."""
    changed_at: str | None = None
    sha256: str | None = None
    content: Sieved | None = None
    """What would be taken in of it; None while it is not settled, or with findings."""
    start_byte: int = 0
    """Where `content` begins in the file: what lies before it was taken in already."""
    findings: tuple[Finding, ...] = ()
    reason: str | None = None
    """Why it cannot be read."""


class InboxFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the inbox."""

    files: tuple[InboxFile, ...] = ()
    """As they arrived, then by what was changed first, then by name."""
    ignored: tuple[ForeignFolder, ...] = ()
    """What is no plain `*.jsonl` file: left alone."""
    num_unseen: int = 0
    """At least so many further entries were not looked at."""
    problem: str | None = None
    """Why the inbox could not be read. Then the rest is unknown, not empty."""


class LearntHeldOut(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a held-out file a campaign had learnt before it was held out."""

    num_learnt: int
    num_rows: int
    is_sure: bool
    """Was all that it has learnt known? Otherwise there may be more."""


class QuestFileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A quest file as it is now; trainable when there are no findings."""

    name: str
    """As the queue names it."""
    path: str | None = None
    """Where it was found, links resolved."""
    size_bytes: int | None = None
    sha256: str | None = None
    """`sha256:` and 64 hex digits over the file's bytes."""
    content: Sieved | None = None
    """What would be taken in of it, under which contract; None where there are findings."""
    continued: tuple[Continued, ...] = ()
    """For each content that was taken in before and that it begins with: what came behind."""
    findings: tuple[Finding, ...] = ()
    """At most ten, in the order of the rows."""
    start_byte: int = 0
    """Where `content` begins in a file of the inbox; not 0 when what lies before it was taken in already."""
    is_gone: bool = False
    """There is no file of this name any more."""
    lineage_problem: str | None = None
    """Why the sidecar beside it is no evidence of where its rows come from; None: it is, or there is none."""
