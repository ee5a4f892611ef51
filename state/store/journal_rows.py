"""The journal: actions that were begun, how each ended, and what failed of them since."""

from typing import Literal

import msgspec

ActionState = Literal["intent", "done", "failed"]


class ActionRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One line of the journal: an action that was begun, and how it ended."""

    number: int
    """Grows with every intent. The key: the same change may be performed again later."""
    id: str
    """Of the change: hash of the action with all its inputs."""
    kind: str
    subject: str
    payload_json: str
    reason: str
    cause: str
    specs_commit: str
    state: ActionState
    epoch: int
    begun_at: str
    ended_at: str | None = None
    outcome: str | None = None
    permanent: bool = False
    """It failed, and fails again until someone changes something."""
    plan_digest: str | None = None
    """Of the plan that it was a change of; None of one that an older version did."""


BROKEN_OFF = "interrupted; planned again"
"""The outcome of what a kill or a person broke off: it says nothing about the action."""

REFUSED = "refused: "
"""How the outcome begins where a skill's rows were looked at and refused: the same ones are refused again."""


class LastFailure(msgspec.Struct, frozen=True, kw_only=True):
    """How a change that has not succeeded since failed, whether for good or not."""

    id: str
    """Of the change."""
    failed_at: tuple[str, ...]
    """Oldest first; without what was broken off."""
    outcome: str
    """Of the last failure, as the next three."""
    permanent: bool
    epoch: int
    """Of the reconciler that tried it."""
    num_in_office: int
    """How many of the failures, the last ones, that reconciler has seen."""


class FailedAction(msgspec.Struct, frozen=True, kw_only=True):
    """A change that failed for good and has not succeeded since."""

    id: str
    """Of the change."""
    failed_at: tuple[str, ...]
    """Oldest first."""
    outcome: str
    """Of the last failure."""

    @property
    def is_refusal(self) -> bool:
        """Were rows refused, so that trying the same again is in vain?"""
        return self.outcome.startswith(REFUSED)
