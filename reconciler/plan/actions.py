"""Every effect that the reconciler can have, as data. One planner makes each, one executor performs each."""

from typing import Literal

import msgspec

from state.cards import CampaignCard
from state.contract.orders import ConfigInForce, RowShape
from state.contract.request import HeldOutFile, RunConfig
from state.contract.row_contracts import RowContract
from state.ids import RunKey
from state.store.rows import Marks


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


class TakeOverCheckpoint(Action, frozen=True, kw_only=True):
    """Bring a checkpoint of another campaign into this one: the step at which it begins."""

    campaign: str
    campaign_uid: str
    wanted: str
    """As the spec says it."""
    source: str
    source_uid: str
    step: int
    digest: str
    """Of the source's manifest."""


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


class WritePointer(Action, frozen=True, kw_only=True):
    """Make the active pointer and link say again what the store says."""

    campaign: str | None
    campaign_uid: str | None


class SnapshotFile(Action, frozen=True, kw_only=True):
    """Copy a quest's file into the realm's data, under the digest that was checked."""

    quest_id: str
    source_key: str
    path: str
    digest: str
    """Of what is taken in."""
    num_rows: int
    contract: RowContract | None = None
    """Set where invalid rows of the file are left out: what the others keep."""
    start_byte: int = 0
    """Of what the file would give as a whole, only the part from here."""
    stop_byte: int | None = None


class TakeInboxFile(Action, frozen=True, kw_only=True):
    """Make a file of the inbox a quest: its content into the realm's data, then the file out of the inbox."""

    quest_id: str
    name: str
    """Its path below the inbox."""
    source_key: str
    digest: str
    num_rows: int
    size_bytes: int
    mtime_ns: str
    """As it was when its content was checked; a text, since JSON's numbers are not so exact."""
    shape: RowShape


class GenerateQuest(Action, frozen=True, kw_only=True):
    """Run a skill's source and keep what it wrote in the realm's data."""

    quest_id: str
    source_key: str
    skill: str
    command: tuple[str, ...]
    """The source of the skill, with the arguments of this batch; `--out FILE` is added."""
    expected_digest: str | None
    """Digest of an earlier generation of the same batch that is to be made again."""


class WriteQueueFolders(Action, frozen=True, kw_only=True):
    """Make the folders of `queue/` show the jobs again."""


class EnqueueJob(Action, frozen=True, kw_only=True):
    """Create the job of one quest for one campaign."""

    job_uid: str
    quest_id: str
    campaign: str
    campaign_uid: str
    source_key: str
    dataset_path: str
    shape: RowShape
    priority: Literal["high", "normal", "low"]
    epochs: int
    part: int = 1
    follows: bool = False


class UpdateJob(Action, frozen=True, kw_only=True):
    """Carry a new priority or number of epochs into a job; a finished one wakes up for more epochs."""

    job_uid: str
    quest_id: str
    campaign: str
    priority: Literal["high", "normal", "low"]
    epochs: int


class DequeueJob(Action, frozen=True, kw_only=True):
    """Skip a job whose quest left the queue, or whose turn went to another campaign."""

    job_uid: str
    quest_id: str
    campaign: str
    why: str


class MarkJob(Action, frozen=True, kw_only=True):
    """Write down how far a job has come."""

    job_uid: str
    quest_id: str
    campaign: str
    status: Literal["queued", "processing", "completed", "failed"]
    """`queued` again when its run is gone and it is not done."""
    start_step: int | None
    final_step: int | None = None
    final_loss: float | None = None
    final_val_loss: float | None = None
    last_error: str | None = None
    failures: int | None = None
    """Runs in a row that failed at it; None: as before."""
    demoted: bool | None = None


class RunAction(Action, frozen=True, kw_only=True):
    """What concerns one run."""

    campaign: str
    campaign_uid: str
    generation: int
    attempt: int

    @property
    def key(self) -> RunKey:
        return RunKey(self.campaign_uid, self.generation, self.attempt)


class LaunchRun(RunAction, frozen=True, kw_only=True):
    """Start a trainer. It goes on from the newest complete checkpoint that lies there at that moment."""

    config: RunConfig
    config_hash: str
    job_uids: tuple[str, ...]
    goal_updates: int | None
    goal_tokens: int | None = None
    goal_quests: int | None = None
    device: str
    threads: int | None
    model_dir: str | None
    held_out: HeldOutFile | None
    optimizer_state: Literal["resume", "fresh"]
    specs_commit: str


class ConfirmRun(RunAction, frozen=True, kw_only=True):
    """Write down that a launched trainer claimed its run."""

    pid: int


class GiveOrders(RunAction, frozen=True, kw_only=True):
    """Hand a running trainer its new list of quests, goal, pause, or what it can take up of a new config."""

    sequence: int
    job_uids: tuple[str, ...]
    goal_updates: int | None
    goal_tokens: int | None = None
    goal_quests: int | None = None
    pause: bool
    config: ConfigInForce | None = None
    """None: it trains as it was launched."""


class StopRun(RunAction, frozen=True, kw_only=True):
    """Make a trainer save at its next update boundary and leave; after the grace time it is killed."""

    why: str
    grace_seconds: float


class CloseRun(RunAction, frozen=True, kw_only=True):
    """Write down that a run is over."""

    end: Literal["finished", "goal_reached", "stopped", "failed", "lost", "never_started"]
    failure_class: str | None = None
    message: str
    quest_id: str | None = None
    final_step: int | None = None
    last_checkpoint_step: int | None = None
    ended_at: str | None = None
    """When the trainer says that it left; None when it could not say."""


class RecordCheckpoint(Action, frozen=True, kw_only=True):
    """Enter a complete checkpoint into the ledger, with its sidecar."""

    campaign: str
    campaign_uid: str
    segment: int
    step: int
    digest: str


class SetAsideCheckpoint(Action, frozen=True, kw_only=True):
    """Move a checkpoint that was found damaged out of training's way, under a reserved name beside it."""

    campaign: str
    campaign_uid: str
    segment: int
    step: int
    digest: str


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


class DeleteCampaign(Action, frozen=True, kw_only=True):
    """Delete a campaign whole: its tombstone, then its folder into the trash, where it can be taken back."""

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


class RestoreCheckpoint(Action, frozen=True, kw_only=True):
    """Take a dropped checkpoint, or a deleted campaign, back out of the trash, as a person asked."""

    request_id: int
    checkpoint: str
    """`<hero>/<campaign>@<step>`; of a whole campaign `<hero>/<campaign>`."""
    sequence: int | None
    """Of its tombstone; None: the trash has no such thing."""
    campaign_uid: str | None
    asked_by: str


class MarkCheckpoint(Action, frozen=True, kw_only=True):
    """Keep with a checkpoint what people protected it by."""

    campaign: str
    campaign_uid: str
    sequence: int
    """Of its ledger row."""
    step: int
    marks: Marks


class WriteTombstone(Action, frozen=True, kw_only=True):
    """Write the tombstone of a dropped checkpoint into the trash again."""

    campaign: str
    campaign_uid: str
    sequence: int
    step: int
    path: str
    """Of the dropped checkpoint, below the root."""


class PurgeTrash(Action, frozen=True, kw_only=True):
    """Delete a dropped checkpoint, or a whole campaign, for good: its time of grace is over."""

    campaign: str
    campaign_uid: str
    sequence: int
    step: int
    path: str
    size_bytes: int


class TakeApproval(Action, frozen=True, kw_only=True):
    """Use up a person's approval: for these drops at this commit, or for none when the plan has changed."""

    request_id: int
    digest: str
    """Of what it approves."""
    sequences: tuple[int, ...]
    """Of the ledger rows whose checkpoints may be dropped; empty: it is closed without use."""
    specs_commit: str
    what: str


class HandleRequest(Action, frozen=True, kw_only=True):
    """Do what a person asked: hold a campaign, or let it go on."""

    request_id: int
    kind: Literal["pause", "resume", "stop"]
    campaign: str
    campaign_uid: str | None
    asked_by: str
    why: str
    instead_of: tuple[int, ...] = ()
    """Older requests that this one takes back; they are handled with it."""


class HandleQuestRequest(Action, frozen=True, kw_only=True):
    """Do what a person asked about a quest: send it behind the others, or let it wait again in its place."""

    request_id: int
    kind: Literal["skip", "retry"]
    quest_id: str
    asked_by: str
    why: str


AnyAction = (
    RegisterCampaign
    | WriteCampaignRecord
    | WriteStatusFiles
    | TakeOverCheckpoint
    | ActivateCampaign
    | DeactivateCampaign
    | ArchiveCampaign
    | RestoreCampaign
    | WritePointer
    | SnapshotFile
    | TakeInboxFile
    | GenerateQuest
    | WriteQueueFolders
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
    | DeleteCampaign
    | RestoreCheckpoint
    | PurgeTrash
    | WriteTombstone
    | MarkCheckpoint
    | SetAsideCheckpoint
    | TakeApproval
    | HandleRequest
    | HandleQuestRequest
)
