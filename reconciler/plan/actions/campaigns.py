"""What can happen to a campaign and to the files that tell of it."""

from typing import ClassVar, Literal

from reconciler.plan.actions.base import Action
from state.cards import CampaignCard
from state.renames import Rename


class RegisterCampaign(Action, frozen=True, kw_only=True):
    """Give a campaign its uid, its row, its folders and its campaign.json."""

    campaign: str
    campaign_uid: str
    card: CampaignCard


class RenameCampaign(Action, frozen=True, kw_only=True):
    """Give a campaign another name; its uid, its folder and all that it has learnt stay."""

    campaign: str
    """The new one."""
    campaign_uid: str
    previous: str
    together: tuple[Rename, ...] = ()
    """Where one takes the name that another gives up: all of them, which have their new names in one
    transaction, whichever of their actions comes first."""


class WriteCampaignRecord(Action, frozen=True, kw_only=True):
    """Make campaign.json say again what the store and the spec say."""

    campaign: str
    campaign_uid: str
    card: CampaignCard


class TakeOverCheckpoint(Action, frozen=True, kw_only=True):
    """Bring a checkpoint of another campaign into this one: the step at which it begins."""

    campaign: str
    campaign_uid: str
    wanted: str
    """As the spec says it."""
    source: str
    source_uid: str
    segment: int | None = None
    """Of the source, where it is not of the living history any more."""
    step: int
    digest: str
    """Of the source's manifest."""


class ImportCheckpoint(Action, frozen=True, kw_only=True):
    """Take a checkpoint of other software, or of another realm, in as the step at which a campaign begins."""

    campaign: str
    campaign_uid: str
    wanted: str
    """The folder, as the spec names it."""
    source: str
    """The folder of the checkpoint."""
    producer: str
    step: int
    files: tuple[str, ...]
    """What is copied."""
    size_bytes: int
    """Of these files."""


class WriteStatusFiles(Action, frozen=True, kw_only=True):
    """Make a campaign's training_status.json and checkpoint_ledger.json say again what the store says."""

    campaign: str
    campaign_uid: str


class ActivateCampaign(Action, frozen=True, kw_only=True):
    """Make this the active campaign: rows of both, pointer, link, both campaign.json files."""

    campaign: str
    campaign_uid: str
    previous: str | None


class DeactivateCampaign(Action, frozen=True, kw_only=True):
    """Leave the realm without an active campaign."""

    campaign: str
    campaign_uid: str


class ArchiveCampaign(Action, frozen=True, kw_only=True):
    """Move a campaign that no longer trains into the archive, with its final metrics."""

    campaign: str
    campaign_uid: str


class RestoreCampaign(Action, frozen=True, kw_only=True):
    """Take a campaign out of the archive; it is paused then."""

    campaign: str
    campaign_uid: str


class DeleteCampaign(Action, frozen=True, kw_only=True):
    """Delete a campaign whole: its tombstone, then its folder into the trash, where it can be taken back."""

    destroys: ClassVar[bool] = True
    campaign: str
    campaign_uid: str
    sequence: int
    """Its deletion number."""
    step: int
    """Where it stood."""
    digest: str
    """Of its contents."""
    checkpoints: int
    size_bytes: int
    """Of its checkpoints."""
    kind: Literal["asked"] = "asked"
    why: str
    grace_seconds: float


class WritePointer(Action, frozen=True, kw_only=True):
    """Make the active pointer and link say again what the store says."""

    campaign: str | None
    campaign_uid: str | None
