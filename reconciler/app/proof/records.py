"""What a proof says. Rows of files are counted from 1, epochs too."""

from typing import Literal

import msgspec

Span = tuple[int, int]
"""From the first row to the last, both counted."""


class Ancestor(msgspec.Struct, frozen=True, kw_only=True):
    """One checkpoint of the chain, and what it adds."""

    checkpoint: str
    digest: str
    kept: Literal["folder", "store"]
    """Where its record lies: beside its weights, or in the store alone because they are gone."""
    run: str | None
    """The launch that trained it; null: it was taken over from another campaign as it was."""
    saved_at: str
    num_rows: int
    """Learnt since its parent, each row as often as it was learnt."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that were learnt equally often."""

    times: int
    num_rows: int
    rows: tuple[Span, ...]


class QuestProof(msgspec.Struct, frozen=True, kw_only=True):
    """One content of one quest, as one campaign has learnt it."""

    campaign: str
    quest: str
    part: int
    """Further ones are what came later: rows that the file grew by, or its new content."""
    content: str
    """SHA-256 of the snapshot, which has this digest."""
    num_rows: int
    num_held_out: int
    epochs: int
    """Begun."""
    first_step: int
    last_step: int
    """Of the checkpoints between which it was learnt."""
    times: tuple[Times, ...]
    """By rows of the content; held-out ones are not among them."""
    num_repeated: int
    """Learnt twice in one epoch, each counted as often as it was too often."""
    num_skipped: int
    """Passed over in an epoch."""
    num_left_out: int = 0
    """Taken in an epoch and not learnt: the loss guard left their update out, as a note says."""
    problem: str | None = None
    """Why the rest could not be found out."""


class FileProof(msgspec.Struct, frozen=True, kw_only=True):
    """A quest's file as it is today, against all that was learnt. Equal rows count together."""

    quest: str
    file: str
    """As the queue names it."""
    path: str | None = None
    """Where it lies."""
    num_rows: int = 0
    times: tuple[Times, ...] = ()
    """Through all ancestors."""
    held_out: tuple[Span, ...] = ()
    new: tuple[Span, ...] = ()
    """Not in what was learnt, nor in the place of something that was."""
    edited: tuple[Span, ...] = ()
    """Another row stood there when it was learnt, and stands nowhere in the file any more."""
    waiting: tuple[Span, ...] = ()
    """Taken in, and its turn had not come."""
    invalid: tuple[Span, ...] = ()
    """No rows that its contract takes."""
    num_removed: int = 0
    """Rows that were taken in and are in the file no more; edited ones apart."""
    problem: str | None = None


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    checkpoint: str
    digest: str
    is_proven: bool
    """Every row exactly as often as the epochs that were begun, and nothing of the chain is unknown."""
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    """What does not break the proof and is good to know."""
    ancestors: tuple[Ancestor, ...]
    """The checkpoint itself, then each one's parent."""
    quests: tuple[QuestProof, ...]
    files: tuple[FileProof, ...]


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """When a row was learnt."""

    campaign: str
    quest: str
    part: int
    row: int
    """Of the quest's content."""
    epoch: int
    step: int | None
    """The update; null where it is only known between which two checkpoints."""
    after_step: int
    run: str
    checkpoint: str
    """The first one that has learnt it."""


class RowProof(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    checkpoint: str
    digest: str
    row: str
    """`<file or quest>:<number>`, as it was asked for."""
    path: str
    """Of the file that it stands in."""
    state: Literal["learnt", "held out", "edited", "waiting", "new"]
    occasions: tuple[Occasion, ...]
    """Oldest first; of every row with this content."""
    num_equal: int = 1
    """How many rows of the file have this content, itself among them: they count together."""
    num_before_edit: int = 0
    """How often the row that stood there before was learnt."""
    problems: tuple[str, ...]
    """What is not known of the chain."""
