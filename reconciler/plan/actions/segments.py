"""What begins a new stretch of a campaign's history."""

from typing import Literal

from reconciler.plan.actions.base import Action


class BeginSegment(Action, frozen=True, kw_only=True):
    """Begin a segment: go back to an earlier checkpoint, or branch off for a release.

    A rollback moves what was saved after that checkpoint out of `checkpoints/`, and nothing of it is deleted.
    """

    campaign: str
    campaign_uid: str
    kind: Literal["rollback", "decay"]
    number: int
    living: int
    """The living segment when this was planned."""
    parent_segment: int
    parent_step: int
    parent_digest: str | None
    """Of the checkpoint that it goes on from; None: from the first weights."""
    wanted: str
    reason: str
    rate_factor: float
    updates: int | None = None
    final_ratio: float | None = None
