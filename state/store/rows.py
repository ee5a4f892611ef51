"""The rows of the store. A row is a record of what happened or was found, never of what is wanted.

They are array-like: the values that SQLite gives become a row as they are, without a mapping of each. A file
that shows a row is written of `msgspec.structs.asdict(row)`. Those about checkpoints are written in
`checkpoint_rows`, those about requests in `request_rows`, and passed on from here: a view of the store holds
them all. Those of the journal are in `journal_rows`: a view holds only what failed.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from state.ids import order_id
from state.moments import BootMoment
from state.store.checkpoint_rows import (
    NEVER_READ,
    CopyKind,
    CopyRow,
    DropKind,
    LedgerRow,
    ManifestRow,
    Marks,
    TrashKind,
    TrashRow,
    TrashState,
)
from state.store.journal_rows import FailedAction, LastFailure
from state.store.request_rows import NO_REASON, Drops, ExportWish, RequestKind, RequestRow, ScrubWish

__all__ = [
    "NEVER_READ",
    "NO_REASON",
    "CopyKind",
    "CopyRow",
    "DropKind",
    "Drops",
    "ExportWish",
    "LedgerRow",
    "ManifestRow",
    "Marks",
    "RequestKind",
    "RequestRow",
    "ScrubWish",
    "TrashKind",
    "TrashRow",
    "TrashState",
]  # passed on, beside what is written here

Hold = Literal["pause", "stop"]
REBUILD = "doctor --rebuild"
"""Who holds a campaign of which only its folder told, until a person lets it go on."""
RunState = Literal["launching", "running", "ended"]
RunEnd = Literal["finished", "goal_reached", "stopped", "failed", "lost", "never_started"]
JobStatus = Literal["queued", "processing", "completed", "failed", "skipped"]
CampaignState = Literal["active", "paused", "archived", "deleted"]
SegmentKind = Literal["rollback", "decay"]
"""What began a segment: going back to an earlier checkpoint, or a short branch whose rate falls."""
UNKNOWN = "not known any more"
"""What asked for a segment whose row was lost with the store: its checkpoints and runs do not say it."""


class CampaignRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    uid: str
    name: str
    """`<hero>/<id>`."""
    status: CampaignState
    created_at: str
    segment: int = 1
    """The living one, whose checkpoints lie in `checkpoints/`."""
    generation: int = 0
    """0 until the first launch."""
    config_hash: str | None = None
    code_version: str | None = None
    """Of the newest launch."""
    specs_commit: str | None = None
    hold: Hold | None = None
    """A person's request that training pauses or stops; lifted by `resume`."""
    hold_by: str | None = None
    hold_why: str | None = None
    hold_at: str | None = None
    forgiven_at: str | None = None
    """Failures before this moment no longer count against a relaunch."""
    card_json: str = ""
    """What apply took last from its spec, a CampaignCard; empty in a row of an older version."""
    archived_at: str | None = None
    """When it began to be archived; None again once it is restored."""
    starting_from: str | None = None
    """The checkpoint that it began from, as its spec named it; None: from the base model."""
    starting_checkpoint: str | None = None
    """The same as `<hero>/<id>@<step>`, resolved once; of one that was imported the folder, `/...`."""
    starting_step: int = 0
    starting_digest: str | None = None
    """Of the source's manifest."""
    parent_uid: str | None = None
    """The campaign that the starting checkpoint is of."""
    former_names: str = ""
    """Names that it had before, oldest first, a space between two."""

    @property
    def is_told_by_its_folder(self) -> bool:
        """Were its rows lost with the store, and nobody has let it go on since?"""
        return self.hold is not None and self.hold_by == REBUILD

    @property
    def former(self) -> tuple[str, ...]:
        """The names that it had before, oldest first; none of them is given to a new campaign."""
        return tuple(self.former_names.split())

    @property
    def folder_name(self) -> str:
        """The name of its folder: the one that it was made under. A rename moves nothing."""
        return self.former[0] if self.former_names else self.name


class SegmentRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A segment of a campaign's history that a rollback or a decay branch began; never deleted.

    A campaign's first segment has no row: it began with the campaign.
    """

    campaign_uid: str
    number: int
    kind: SegmentKind
    wanted: str
    """What asked for it: the line of a spec or the run that diverged, in words that no other has."""
    reason: str
    """For people."""
    parent_segment: int
    parent_step: int
    parent_digest: str | None
    """Of the checkpoint that it goes on from; None: from the first weights, before any was saved."""
    rate_factor: float = 1.0
    """What is left of the rates that the specs say, while this segment lives."""
    updates: int | None = None
    """Of a decay branch: how many updates it makes while its rate falls."""
    final_ratio: float | None = None
    """Of a decay branch: the share of the rate that is left at its end."""
    begun_at: str
    ready_at: str | None = None
    """When everything lay in its place; None: a kill came between, the next plan goes on."""

    @property
    def is_known(self) -> bool:
        """Is it known what asked for it?"""
        return self.wanted != UNKNOWN

    @property
    def last_step(self) -> int:
        """Return the step of the release checkpoint of a decay branch."""
        return self.parent_step + (self.updates or 0)


class RunRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    campaign_uid: str
    generation: int
    attempt: int
    state: RunState
    cookie: str
    config_hash: str
    config_json: str
    code_version: str
    specs_commit: str
    device: str
    resume_step: int | None
    launched_at: str
    pid: int | None = None
    ended_at: str | None = None
    end: RunEnd | None = None
    failure_class: str | None = None
    message: str | None = None
    quest_id: str | None = None
    final_step: int | None = None
    last_checkpoint_step: int | None = None
    told_generation: int | None = None
    """Of the config that the running trainer was told to take up; None: it trains as launched."""
    told_config_hash: str | None = None
    told_config_json: str | None = None
    told_specs_commit: str | None = None
    segment: int = 1
    """The segment of its campaign's history that it trains."""
    peak_memory_bytes: int | None = None
    """The most that it took at once, as it told last; None where it never did."""
    num_updates: int | None = None
    """That it made, as its metrics say once it is over; None where they say nothing, and before."""
    num_tokens: int | None = None
    busy_seconds: float | None = None
    """For these updates, with measuring and with standing still for saves; without loading and pauses."""
    expected_seconds: float | None = None
    """For as many updates, as runs alike that were over at its launch let one expect; None without any."""
    expected_low_seconds: float | None = None
    expected_high_seconds: float | None = None
    """Between the two it was to be, in four of five runs."""
    energy_joules: float | None = None
    """That its GPU took for these updates; None where nothing measured it, as on a CPU."""


class JobRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One quest trained by one campaign."""

    uid: str
    id: str
    """For people: time and file name, unique."""
    quest_id: str
    campaign_uid: str
    hero_id: str
    campaign_id: str
    source_key: str
    dataset_path: str
    digest: str
    num_examples: int
    shape_json: str
    priority: Literal["high", "normal", "low"]
    epochs: int
    status: JobStatus
    attempts: int = 0
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    start_step: int | None = None
    final_step: int | None = None
    final_loss: float | None = None
    final_val_loss: float | None = None
    last_error: str | None = None
    config_hash: str | None = None
    git_commit: str | None = None
    """Code version of the launch that trained it last."""
    specs_commit: str | None = None
    part: int = 1
    """Of the quest in this campaign: further ones train what came later."""
    follows: bool = False
    """Its rows came behind those of the part before: the quest's file grew. Else they replace them."""
    failures: int = 0
    """Runs in a row that failed at it without progress."""
    demoted: bool = False
    """It goes behind the others, as a low one: it failed twice, or was skipped by a person."""

    @property
    def order_id(self) -> str:
        """What the trainer calls it: the quest's id, with the part's number from the second part on."""
        return order_id(self.quest_id, self.part)


class QuestDataRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A snapshot of a quest's content."""

    source_key: str
    digest: str
    num_rows: int
    size_bytes: int
    origin: str
    """Where the content came from: a path, or the generator's command."""
    created_at: str


class InboxRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A file that was taken in from the inbox: a quest that no spec names."""

    quest_id: str
    name: str
    """Where it was dropped, below the inbox."""
    source_key: str
    digest: str
    num_rows: int
    size_bytes: int
    shape_json: str
    """How its rows are read, a RowShape."""
    taken_at: str
    number: int = 0
    """Grows with every file that is taken in: the order of the queue. 0: before this was counted."""


class ScrubPosition(msgspec.Struct, frozen=True, kw_only=True):
    """How far the checkpoint that is being read again was read; a kill loses one file of that at most."""

    path: str
    digest: str
    read_bytes: int


class TakenApproval(msgspec.Struct, frozen=True, kw_only=True):
    """The last approval that was used: what of it is not dropped yet goes on at the same commit."""

    specs_commit: str
    sequences: tuple[int, ...]
    """Of ledger rows."""


class StoreView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that planning reads from the store, at one moment."""

    realm_uid: str
    epoch: int
    realm_id: str | None = None
    """Of the realm that the root was made for; None: it is new."""
    root_place: str | None = None
    """Where the root lay when a reconciler last took office in it."""
    older_copy: str | None = None
    """How it shows that it is an older copy that somebody put back, which nothing has made whole since; None:
    nothing shows that."""
    active_uid: str | None = None
    activated_at: str | None = None
    applied_commit: str | None = None
    """The newest commit at which nothing was left to do."""
    applied_at: str | None = None
    attempted_commit: str | None = None
    trusted_commit: str | None = None
    """The newest commit of a local branch that went on from those before, or that a person accepted."""
    trusted_branch: str | None = None
    named_commit: str | None = None
    """The newest commit that was taken up and left no campaign's name in doubt."""
    renamed_since: Mapping[str, str] = {}
    """uid → the name at that commit, of each campaign that was renamed since."""
    campaigns: tuple[CampaignRow, ...] = ()
    runs: tuple[RunRow, ...] = ()
    jobs: tuple[JobRow, ...] = ()
    quest_data: tuple[QuestDataRow, ...] = ()
    inbox: tuple[InboxRow, ...] = ()
    """What was taken in from the inbox, in the order of the queue."""
    ledger: tuple[LedgerRow, ...] = ()
    requests: tuple[RequestRow, ...] = ()
    """Those not yet handled, oldest first."""
    approval: TakenApproval | None = None
    segments: tuple[SegmentRow, ...] = ()
    """Those that were begun, by campaign and number."""
    trash: tuple[TrashRow, ...] = ()
    """The tombstones of everything that was ever dropped."""
    observed_seconds: float = 0.0
    """Observed time, as of `observed_at`."""
    observed_at: str | None = None
    """When a tick last added to it; None before the first."""
    observed_boot: BootMoment | None = None
    """What the machine's boot clock said then; None where it has none."""
    clean_ticks: int = 0
    """Ticks in which nothing failed, as far as they were counted."""
    failed_actions: tuple[FailedAction, ...] = ()
    """By id."""
    last_failures: tuple[LastFailure, ...] = ()
    """By id."""
    copies: tuple[CopyRow, ...] = ()
    """Outside the root, by checkpoint and place."""
    unseen_places: tuple[str, ...] = ()
    """Where copies may lie that nobody could look into when the store was made again, each with why."""
    scrub: ScrubPosition | None = None
    """Within the checkpoint that is being read again; None: between two."""

    @property
    def last_names_commit(self) -> str | None:
        """Return the commit whose names the campaigns here have; the last attempted, if none was noted."""
        return self.named_commit or self.attempted_commit
