"""What can happen to quests, their rows and their jobs."""

from typing import Literal

from reconciler.plan.actions.base import Action
from state.contract.orders import RowShape
from state.contract.row_contracts import RowContract


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


class SnapshotHeldOut(Action, frozen=True, kw_only=True):
    """Copy a campaign's held-out file into the realm's data, under the digest that its config names."""

    campaign: str
    name: str
    """Of the file, as the specs say it."""
    source_key: str
    path: str
    digest: str
    num_rows: int


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
    start_byte: int = 0
    """Where its content begins in the file: what lies before it was taken in already."""


class GenerateQuest(Action, frozen=True, kw_only=True):
    """Run a skill's source and keep what it wrote in the realm's data."""

    quest_id: str
    source_key: str
    skill: str
    command: tuple[str, ...]
    """The source of the skill, with the arguments of this batch; `--out FILE` is added."""
    expected_digest: str | None
    """Digest of an earlier generation of the same batch that is to be made again."""
    version: str | None = None
    """Of the skill, as its spec says."""
    judged_by: str | None = None
    """Digest of what its rows are judged by before they are kept; what this refuses, another may not."""


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
