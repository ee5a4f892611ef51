"""Where everything lies under the realm's root. No other module knows these paths."""

from pathlib import Path

import msgspec

from state.ids import (
    ACTIVE_LINK,
    ARCHIVE,
    CAMPAIGNS,
    INBOX,
    RESERVED_HEROES,
    SEGMENTS,
    RunKey,
    campaign_folder,
    checkpoint_folder,
    deleted_folder,
    recorded_folder,
    segment_folder,
)
from state.store.rows import CampaignRow

STAGING_PREFIX = ".staging-"
DAMAGED_PREFIX = ".damaged-"
"""Of checkpoints that were set aside because their contents are not what was saved; never deleted."""
_SET_ASIDE = ".damaged-"


class CampaignLayout(msgspec.Struct, frozen=True):
    """The folders and files of one campaign."""

    folder: Path

    @property
    def record(self) -> Path:
        return self.folder / "campaign.json"

    @property
    def saga(self) -> Path:
        return self.folder / "saga.jsonl"

    @property
    def archive_summary(self) -> Path:
        """The final metrics, as of the moment when it was archived last."""
        return self.folder / "archive_summary.json"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def segments(self) -> Path:
        """Of the checkpoints that are not of the living history, a folder for each segment."""
        return self.folder / SEGMENTS

    def segment(self, number: int) -> Path:
        return self.folder / segment_folder(number)

    @property
    def status(self) -> Path:
        return self.folder / "status"

    @property
    def training_status(self) -> Path:
        return self.status / "training_status.json"

    @property
    def checkpoint_index(self) -> Path:
        """The campaign's part of the ledger, as older systems read it."""
        return self.status / "checkpoint_ledger.json"

    @property
    def curriculum_state(self) -> Path:
        """What the campaign was examined in, and which levels it has mastered."""
        return self.status / "curriculum_state.json"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def training_log(self) -> Path:
        """A link to the log of the newest run."""
        return self.logs / "training.log"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def run(self, key: RunKey) -> "RunLayout":
        return RunLayout(self.runs / key.folder)

    def checkpoint(self, step: int) -> Path:
        return self.checkpoints / checkpoint_folder(step)


class RunLayout(msgspec.Struct, frozen=True):
    """The files of one run: the contract between reconciler and trainer."""

    folder: Path

    @property
    def request(self) -> Path:
        return self.folder / "request.json"

    @property
    def orders(self) -> Path:
        return self.folder / "orders.json"

    @property
    def process(self) -> Path:
        return self.folder / "process.json"

    @property
    def status(self) -> Path:
        return self.folder / "status.json"

    @property
    def effective(self) -> Path:
        """What the trainer really uses."""
        return self.folder / "effective.json"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def exit(self) -> Path:
        return self.folder / "exit.json"

    @property
    def log(self) -> Path:
        return self.folder / "training.log"


class Layout(msgspec.Struct, frozen=True):
    """The realm's root."""

    root: Path

    @property
    def store(self) -> Path:
        return self.root / "realm.db"

    def set_aside(self, digest: str) -> Path:
        """Return the name that a store gets in whose place another one is made; never deleted."""
        return self.store.with_name(f"{self.store.name}{_SET_ASIDE}{digest}")

    def is_set_aside(self, path: Path) -> bool:
        """Is this such a name?"""
        return path.name.startswith(f"{self.store.name}{_SET_ASIDE}")

    @property
    def lock(self) -> Path:
        """Held by the one reconciler that may write."""
        return self.root / "control" / "reconciler.lock"

    @property
    def epoch(self) -> Path:
        """The epoch of the last writer, mirrored from the store."""
        return self.root / "control" / "epoch"

    @property
    def written(self) -> Path:
        """How far the last writer wrote in the store, mirrored from it."""
        return self.root / "control" / "written"

    @property
    def witness(self) -> Path:
        """The same beside the weights: an older store may be put back, and its `control/` with it."""
        return self.campaigns / ".written"

    @property
    def trainer_lock(self) -> Path:
        """Held by the one trainer that may run."""
        return self.root / "control" / "trainer.lock"

    @property
    def wake(self) -> Path:
        """Touched by whoever left a request in the store; the loop watches it."""
        return self.root / "control" / "wake"

    @property
    def ballast(self) -> Path:
        """Room that is kept for the moment when the disk is full."""
        return self.root / "control" / "ballast"

    @property
    def active_pointer(self) -> Path:
        """The Scroll of Destiny."""
        return self.root / "control" / "active_campaign.json"

    @property
    def source(self) -> Path:
        """Which repository and branch this root follows."""
        return self.root / "source.json"

    @property
    def mirror(self) -> Path:
        """The bare repository into which a remote source is fetched."""
        return self.root / "source.git"

    @property
    def fetched(self) -> Path:
        """What the last look at a remote source found."""
        return self.root / "control" / "fetched.json"

    @property
    def campaigns(self) -> Path:
        return self.root / CAMPAIGNS

    @property
    def archive(self) -> Path:
        """The Hall of Legends."""
        return self.campaigns / ARCHIVE

    @property
    def trash(self) -> Path:
        """Dropped checkpoints, each for its time of grace."""
        return self.root / "trash"

    def deleted_campaign(self, uid: str) -> Path:
        """Return where a campaign lies that is deleted whole, for its time of grace."""
        return self.trash / deleted_folder(uid)

    @property
    def active_link(self) -> Path:
        return self.campaigns / ACTIVE_LINK

    @property
    def data(self) -> Path:
        """Quest snapshots, named by their SHA-256."""
        return self.root / "data"

    @property
    def inbox(self) -> Path:
        """Where people drop files that are to be trained."""
        return self.root / INBOX

    @property
    def queue(self) -> Path:
        """The jobs as files in folders: a view of the store."""
        return self.root / "queue"

    @property
    def backups(self) -> Path:
        """Copies of the store, one a day."""
        return self.root / "backups" / "store"

    @property
    def row_files(self) -> Path:
        """What the store says, again in files."""
        return self.root / "control" / "rows"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def job_history(self) -> Path:
        return self.root / "status" / "job_history.jsonl"

    @property
    def events(self) -> Path:
        return self.root / "logs" / "events.jsonl"

    def campaign(self, name: str, *, archived: bool = False) -> CampaignLayout:
        """Return the places of `<hero>/<campaign>`.

        Raises:
            ValueError: the name is not made of two valid ids, or the hero's is reserved.
        """
        return CampaignLayout(self.root / campaign_folder(name, archived=archived))

    def home_of(self, row: CampaignRow) -> CampaignLayout:
        """Return the places of a campaign where its row says that it lies."""
        return self._recorded(row, archived=row.status == "archived")

    def other_home_of(self, row: CampaignRow) -> CampaignLayout:
        """Return where the campaign's folder lies only while it moves in or out of the archive."""
        return self._recorded(row, archived=row.status != "archived")

    def _recorded(self, row: CampaignRow, *, archived: bool) -> CampaignLayout:
        """Return a place to look at: an older version let a hero have an id that is reserved now."""
        if row.folder_name.partition("/")[0] in RESERVED_HEROES:
            return CampaignLayout(self.root / recorded_folder(row.folder_name, archived=archived))
        return self.campaign(row.folder_name, archived=archived)

    def snapshot(self, digest: str) -> Path:
        """Return the place of a quest's content.

        Raises:
            ValueError: the digest is not `sha256:` and 64 hex digits.
        """
        algorithm, _, hex_digits = digest.partition(":")
        if algorithm != "sha256" or len(hex_digits) != 64 or set(hex_digits) - set("0123456789abcdef"):  # noqa: PLR2004 - SHA-256 in hex
            raise ValueError(f"{digest!r} is not a SHA-256 digest")
        return self.data / f"{hex_digits}.jsonl"

    def lineage(self, digest: str) -> Path:
        """Return the place of what is said about the making of a quest's content.

        Raises:
            ValueError: the digest is not `sha256:` and 64 hex digits.
        """
        from state.contract.lineage import SUFFIX as LINEAGE_SUFFIX

        content = self.snapshot(digest)
        return content.with_name(f"{content.name}{LINEAGE_SUFFIX}")
