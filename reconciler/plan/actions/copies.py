"""What can happen to what a checkpoint consists of, wherever a copy of it lies."""

from typing import ClassVar, Literal

import msgspec

from reconciler.plan.actions.base import Action, OfCheckpoint
from state.store.rows import CopyKind

Place = Literal["home", "trash", "copy", "full form"]
"""Where it lies; a full form in the trash is of a checkpoint that keeps its weights only."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint, or a copy of one, that is to be read again."""

    campaign: str
    campaign_uid: str
    sequence: int
    """Of its ledger row; of a full form of its tombstone."""
    which: str
    """Its step, in a segment that is not living with its number."""
    place: Place
    path: str
    """Below the root; of a copy absolute."""
    digest: str
    size_bytes: int


class ReadAgain(Action, frozen=True, kw_only=True):
    """Read checkpoints again past the cache and compare them with their manifests, for a few seconds."""

    readings: tuple[Reading, ...]
    """Those that come next, what was not read for longest first."""
    num_left: int
    """These and those that come after."""
    left_bytes: int
    read_bytes: int
    """How much of the first one was read already."""
    before: str
    """Those last read before this moment are read."""
    rate_bytes: int | None
    """At most so many bytes a second."""
    request_id: int | None
    """Of the person who asked for it; None: the rules do."""


class AnswerRequest(Action, frozen=True, kw_only=True):
    """Tell who asked for a scrub or an export how it ended."""

    request_id: int
    what: str
    answer: str


class MendCheckpoint(OfCheckpoint, frozen=True, kw_only=True):
    """Make a missing or damaged checkpoint whole again from what is right elsewhere."""

    digest: str
    size_bytes: int
    sources: tuple[str, ...]
    """Folders that have its files, or some of them: of copies absolute, of other campaigns below the root."""


class CopyCheckpoint(OfCheckpoint, frozen=True, kw_only=True):
    """Copy a checkpoint to a folder outside the root; it counts once it was read back there."""

    digest: str
    size_bytes: int
    to: str
    """The folder under which `<hero>/<campaign>/checkpoint-<step>` is made, absolute."""
    kind: CopyKind
    sources: tuple[str, ...] = ()
    """Of what was moved out of the root: the folders of its whole copies, absolute; one of them is copied."""


class MoveOutCheckpoint(OfCheckpoint, frozen=True, kw_only=True):
    """Let verified copies elsewhere stand for a checkpoint: the one in the root goes to the trash."""

    destroys: ClassVar[bool] = True
    digest: str
    size_bytes: int
    copies: tuple[str, ...]
    """The folders of these copies, absolute; each is looked at once more."""
    kind: Literal["moved"] = "moved"
    why: str
    grace_seconds: float


class BringBackCheckpoint(OfCheckpoint, frozen=True, kw_only=True):
    """Bring back what was moved out of the root: out of the trash, or from its copies, verified."""

    digest: str
    size_bytes: int
    sources: tuple[str, ...]
    """The folders of its copies, absolute."""
