"""Every effect that the reconciler can have, as data. One planner makes each, one executor performs each."""

from typing import Literal

import msgspec

from state.cards import CampaignCard
from state.contract.orders import RowShape
from state.contract.request import HeldOutFile, RunConfig
from state.ids import RunKey


class Action(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="action"):
    """What a change does. All inputs that decide the effect are fields; the change's id is their hash."""


class RegisterCampaign(Action, frozen=True, kw_only=True):
    """Give a campaign its uid, its row, its folders and its campaign.json."""

    campaign: str
    campaign_uid: str
    card: CampaignCard


class WriteCampaignRecord(Action, frozen=True, kw_only=True):
    """Make campaign.json say again what the store and the spec say."""

    campaign: str
    campaign_uid: str
    card: CampaignCard


class TrashCheckpoint(Action, frozen=True, kw_only=True):
    """Drop a checkpoint: its tombstone, then its folder into the trash, from where it can be taken back."""

    campaign: str
    campaign_uid: str
    sequence: int
    """Of its ledger row."""
    step: int
    digest: str
    size_bytes: int
    kind: Literal["asked", "rolled"]
    why: str
    grace_seconds: float


class RestoreCheckpoint(Action, frozen=True, kw_only=True):
    """Take a dropped checkpoint back out of the trash, as a person asked."""

    request_id: int
    checkpoint: str
    """`<hero>/<campaign>@<step>`."""
    sequence: int | None
    """Of its ledger row; None: the trash has no such checkpoint."""
    campaign_uid: str | None
    asked_by: str


class PurgeTrash(Action, frozen=True, kw_only=True):
    """Delete a dropped checkpoint for good: its time of grace is over."""

    campaign: str
    campaign_uid: str
    sequence: int
    step: int
    path: str
    size_bytes: int


class HandleRequest(Action, frozen=True, kw_only=True):
    """Do what a person asked: hold a campaign, or let it go on."""

    request_id: int
    kind: Literal["pause", "resume", "stop"]
    campaign: str
    campaign_uid: str | None
    asked_by: str
    why: str


AnyAction = (
    RegisterCampaign
    | WriteCampaignRecord
    | ActivateCampaign
    | DeactivateCampaign
    | ArchiveCampaign
    | RestoreCampaign
    | WritePointer
    | SnapshotFile
    | GenerateQuest
    | EnqueueJob
    | UpdateJob
    | DequeueJob
    | MarkJob
    | LaunchRun
    | ConfirmRun
    | GiveOrders
    | StopRun
    | CloseRun
    | RecordCheckpoint
    | TrashCheckpoint
    | RestoreCheckpoint
    | PurgeTrash
    | SetAsideCheckpoint
    | HandleRequest
)
