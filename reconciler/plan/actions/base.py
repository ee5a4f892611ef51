"""An effect as data: what all of them are."""

from typing import TYPE_CHECKING, ClassVar, Protocol, TypedDict

import msgspec

from state.ids import which_of

if TYPE_CHECKING:
    from state.store.rows import LedgerRow, TrashRow


class Action(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="action"):
    """What a change does. All inputs that decide the effect are fields; the change's id is their hash."""

    destroys: ClassVar[bool] = False
    """Does it drop, demote or purge? Then it waits while the specs' source, or the store, is in doubt."""


class OfCheckpoint(Action, frozen=True, kw_only=True):
    """What is done to one checkpoint that the ledger, or a tombstone, knows."""

    campaign: str
    campaign_uid: str
    sequence: int
    """Of its ledger row, or of its tombstone."""
    segment: int | None = None
    """Where it is not of the living history any more."""
    step: int


class CheckpointFields(TypedDict):
    """The fields of `OfCheckpoint`, to be passed on to an action."""

    campaign: str
    campaign_uid: str
    sequence: int
    segment: int | None
    step: int


def of_recorded(campaign: str, row: "LedgerRow") -> CheckpointFields:
    """Return the fields of an action on a checkpoint of the ledger."""
    return {
        "campaign": campaign,
        "campaign_uid": row.campaign_uid,
        "sequence": row.sequence,
        "segment": row.named_segment,
        "step": row.step,
    }


def of_tombstone(stone: "TrashRow") -> CheckpointFields:
    """Return the fields of an action on what a tombstone stands for."""
    return {
        "campaign": stone.campaign,
        "campaign_uid": stone.campaign_uid,
        "sequence": stone.sequence,
        "segment": stone.segment,
        "step": stone.step,
    }


class AboutCheckpoint(Protocol):
    """An action that is about one checkpoint."""

    @property
    def campaign(self) -> str: ...
    @property
    def segment(self) -> int | None:
        """None: the living one."""

    @property
    def step(self) -> int: ...


def name_of(action: AboutCheckpoint) -> str:
    """Return what people call the checkpoint that an action is about: `pip/campaign-001@1:40`."""
    return f"{action.campaign}@{which_of(action.segment, action.step)}"
