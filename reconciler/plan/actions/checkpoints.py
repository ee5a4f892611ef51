"""What can happen to a checkpoint, until it is gone."""

from typing import ClassVar, Literal

from reconciler.plan.actions.base import Action, OfCheckpoint
from state.ids import which_of
from state.store.rows import Marks


class OfPublished(Action, frozen=True, kw_only=True):
    """What is done to one checkpoint as it lies in its campaign's folder."""

    campaign: str
    campaign_uid: str
    segment: int
    step: int
    digest: str
    aside: bool = False
    """Does it lie in the folder of a segment that is not living? Then that is part of its name."""

    @property
    def which(self) -> str:
        """Return what follows the campaign's name and `@`."""
        return which_of(self.segment if self.aside else None, self.step)


class RecordCheckpoint(OfPublished, frozen=True, kw_only=True):
    """Enter a complete checkpoint into the ledger, with its sidecar."""


class SetAsideCheckpoint(OfPublished, frozen=True, kw_only=True):
    """Move a checkpoint that was found damaged out of training's way, under a reserved name beside it."""


class TrashCheckpoint(OfCheckpoint, frozen=True, kw_only=True):
    """Drop a checkpoint: its tombstone, then its folder into the trash, from where it can be taken back."""

    destroys: ClassVar[bool] = True
    digest: str
    size_bytes: int
    kind: Literal["asked", "rolled"]
    why: str
    grace_seconds: float


class DemoteCheckpoint(OfCheckpoint, frozen=True, kw_only=True):
    """Let a checkpoint keep its weights only: its full form goes to the trash, and can be taken back."""

    destroys: ClassVar[bool] = True
    digest: str
    """With the optimizer's state."""
    size_bytes: int
    """Of that state: its weights stay, so only this becomes free."""
    kind: Literal["rolled"] = "rolled"
    why: str
    grace_seconds: float


class RestoreCheckpoint(Action, frozen=True, kw_only=True):
    """Take a dropped checkpoint, or a deleted campaign, back, as a person asked: from the trash or a copy."""

    request_id: int | None = None
    """None: nobody asked for it; it is a campaign that its spec wants again."""
    checkpoint: str
    """`<hero>/<campaign>@<step>`; of a whole campaign `<hero>/<campaign>`."""
    sequence: int | None
    """Of its tombstone; None: the trash has no such thing."""
    campaign_uid: str | None
    asked_by: str | None = None
    overrules: str | None = None
    """The line of its campaign's spec that asks for a clean-up now: it counts no more while it stands."""
    sources: tuple[str, ...] = ()
    """Of a checkpoint that is not in the trash any more: the folders of its copies elsewhere."""


class CallOffDeletion(OfCheckpoint, frozen=True, kw_only=True):
    """Keep with a campaign in the trash that its spec wanted it again: its deletion is over from then on."""

    is_mirrored: bool = True
    """Also in the trash itself, which can be read."""


class ForgetUndelete(OfCheckpoint, frozen=True, kw_only=True):
    """Forget which line of a spec an undelete overruled: that line is gone, and a later one counts again."""

    overrules: str


class MarkCheckpoint(OfCheckpoint, frozen=True, kw_only=True):
    """Keep with a checkpoint what people protected it by."""

    marks: Marks


class WriteTombstone(OfCheckpoint, frozen=True, kw_only=True):
    """Write the tombstone of a dropped checkpoint into the trash again."""

    path: str
    """Of the dropped checkpoint, below the root."""


class PurgeTrash(OfCheckpoint, frozen=True, kw_only=True):
    """Delete a dropped checkpoint, or a whole campaign, for good: its time of grace is over."""

    destroys: ClassVar[bool] = True
    path: str
    size_bytes: int
