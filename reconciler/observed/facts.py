"""Everything that planning knows about the world, at one moment. Pure; app gathers it."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TypeVar

import msgspec

from reconciler.observed.data_records import InboxFacts, LearntHeldOut, QuestFileFacts, SnapshotFacts
from reconciler.observed.machine_records import CopyTarget, DiskFacts, GpuInventory
from reconciler.observed.model_records import ModelFacts
from reconciler.observed.obstacle_records import Obstacle
from reconciler.observed.records import (
    CheckpointFacts,
    DerivedFacts,
    FoundCheckpoint,
    OrphanFolder,
    RootUse,
    RunFacts,
    Strange,
    TrashFacts,
)
from reconciler.observed.start_records import StartFolder
from reconciler.observed.stock import Stock, make_stock
from state.contract.contents import Finding
from state.contract.inspection import Inspection
from state.held_out_rows import RowsMeasured, configs_of
from state.homes import HomeState
from state.host_memory import HostMemory
from state.ids import RunKey
from state.moments import BootMoment
from state.queue_folders import Found
from state.renames import KeptName, Rename, Unfollowed, Unsaid
from state.source_status import NotInForce, SourceStatus
from state.store.journal_rows import FailedAction, LastFailure
from state.store.rows import (
    CampaignRow,
    CopyRow,
    InboxRow,
    JobRow,
    LedgerRow,
    QuestDataRow,
    RunRow,
    SegmentRow,
    StoreView,
    TrashRow,
)

Row = TypeVar("Row")


class CampaignFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in a campaign's folder and runs for it."""

    checkpoints: CheckpointFacts = CheckpointFacts()
    """Of the living history."""
    segments: Mapping[int, CheckpointFacts] = {}
    """By number, what lies in the folders of the segments that are not living."""
    runs: tuple[RunFacts, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be understood among its runs."""
    starting: tuple[str, ...] = ()
    """Folders of launched runs that no process has claimed yet while one with their cookie lives."""
    home: HomeState = "home"
    """Whether its folder lies where its row says."""

    @property
    def all_complete(self) -> tuple[FoundCheckpoint, ...]:
        """Return every complete checkpoint, those of the living history first."""
        others = (found for _, facts in sorted(self.segments.items()) for found in facts.complete)
        return (*self.checkpoints.complete, *others) if self.segments else self.checkpoints.complete

    @property
    def problem(self) -> str | None:
        """Return why one of the folders with checkpoints could not be read."""
        if not self.segments:
            return self.checkpoints.problem
        problems = (facts.problem for facts in (self.checkpoints, *self.segments.values()))
        return next((problem for problem in problems if problem is not None), None)

    def run(self, key: RunKey) -> RunFacts | None:
        """Return what was seen of the run with this key."""
        return next((run for run in self.runs if (run.generation, run.attempt) == key[1:]), None)


class Facts(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What is. Rows are found by name or uid in constant time: each index is made when it is first asked."""

    store: StoreView
    disk: DiskFacts
    derived: DerivedFacts
    root_use: RootUse | None = None
    """What the repository remembers of this root; None: it never was in use here, as far as is known."""
    copied_from: str | None = None
    """Where the root lies, still, that this one is a copy of; None: nothing shows that it is one."""
    newer_rows: str | None = None
    """Which file of the store's rows newer software wrote; None: none, as far as anybody has looked."""
    is_in_office: bool = False
    """Is a reconciler at work, the one of the store's epoch? Looked for where something failed, or the source
    is in trouble."""
    export_targets: Mapping[str, CopyTarget] = {}
    """By path: the folders of the exports that are asked for."""
    boot: BootMoment | None = None
    """What the machine's boot clock says; None where there is none."""
    source: SourceStatus | None = None
    """Of specs that are fetched from elsewhere; of local ones only where their history does not go on."""
    gpus: GpuInventory
    host_memory: HostMemory | None = None
    """What this machine, or what bounds us on it, has; None where the system does not tell."""
    obstacles: tuple[Obstacle, ...] = ()
    """What stands in the place of files and folders that are written."""
    campaigns: Mapping[str, CampaignFacts] = {}
    """By campaign name."""
    snapshots: SnapshotFacts = SnapshotFacts()
    trash: TrashFacts = TrashFacts()
    strange: Mapping[str, Strange] = {}
    """By path below the root: what is not ours in what is to be deleted, where there is such a thing."""
    inbox: InboxFacts = InboxFacts()
    queue_folders: Found | None = None
    """None: not looked at."""
    quest_files: Mapping[str, QuestFileFacts] = {}
    """By quest id."""
    inspections: Mapping[str, Inspection] = {}
    """By quest id: what is known of rows not taken in yet, as the active campaign would train them."""
    untrainable_jobs: Mapping[str, tuple[Finding, ...]] = {}
    """By job uid: which rows of what is to be trained the active campaign's next run would refuse."""
    held_out_files: Mapping[str, QuestFileFacts] = {}
    """By campaign name."""
    learnt_held_out: Mapping[str, LearntHeldOut] = {}
    """By campaign name, where a run is about to hold out another file than the one before."""
    models: Mapping[str, ModelFacts] = {}
    """By hero id; only heroes that need weights from somewhere."""
    start_folders: Mapping[str, StartFolder] = {}
    """By path: what campaigns that have not begun yet are to begin with."""
    unusable_tokenizers: Mapping[str, str] = {}
    """Hero id → why its tokenizer, which is there, cannot be loaded, as far as anybody has tried."""
    unfit_weights: Mapping[str, str] = {}
    """Hero id → why the weights, which are there, do not fill its model, as far as anybody has asked."""
    missing_programs: Mapping[str, str] = {}
    """Skill id → why the program of its command cannot be started here."""
    orphans: tuple[OrphanFolder, ...] = ()
    """By path: what lies among the folders of campaigns and is of none."""
    among_checkpoints: Mapping[str, OrphanFolder] = {}
    """By path, as the foreign folders have it: what lies among the checkpoints of campaigns and is none."""
    renames: tuple[Rename, ...] = ()
    """Campaigns whose spec has another name now; everything else here has that name already."""
    unsaid: tuple[Unsaid, ...] = ()
    """Those that may have another name, and neither their spec nor history says so."""
    unfollowed: tuple[Unfollowed, ...] = ()
    """Specs whose file was another campaign's, and whose name is not free for that one."""
    kept_names: tuple[KeptName, ...] = ()
    """Campaigns that keep a name which another one had, though the `was:` that said so is gone since."""
    mistaken_specs: str | None = None
    """Where the newest specs have their first mistake; those of an earlier commit are in force meanwhile."""
    not_in_force: NotInForce | None = None
    """The newest commit of the followed branch, where it is not the one that is planned; None: it is."""

    def campaign_row(self, name: str) -> CampaignRow | None:
        """Return the store's row of the campaign with this name."""
        return self._by_name.get(name)

    def campaign_name(self, uid: str) -> str:
        """Return the name of a registered campaign."""
        return self._by_uid[uid].name

    def runs_of(self, campaign_uid: str) -> tuple[RunRow, ...]:
        """Return the launches of a campaign, oldest first."""
        return self._runs.get(campaign_uid, ())

    def rows_measured(self, campaign_uid: str) -> RowsMeasured:
        """Return what says on which held-out rows each checkpoint of a campaign was measured."""
        found = self._rows_measured.get(campaign_uid)
        if found is None:
            found = RowsMeasured(self.runs_of(campaign_uid), self._configs)
            self._rows_measured[campaign_uid] = found
        return found

    @cached_property
    def _rows_measured(self) -> dict[str, RowsMeasured]:
        return {}

    @cached_property
    def _configs(self) -> dict[str, str]:
        return configs_of(self.store.runs)

    def segments_of(self, campaign_uid: str) -> tuple[SegmentRow, ...]:
        """Return the segments that a campaign began after its first one, by number."""
        return self._segments.get(campaign_uid, ())

    def jobs_of(self, campaign_uid: str) -> tuple[JobRow, ...]:
        """Return the jobs of a campaign."""
        return self._jobs.get(campaign_uid, ())

    def job(self, uid: str) -> JobRow | None:
        """Return the job with this uid."""
        return self._job_by_uid.get(uid)

    def jobs_of_quest(self, quest_id: str) -> tuple[JobRow, ...]:
        """Return the jobs of a quest, whoever trains it."""
        return self._jobs_by_quest.get(quest_id, ())

    def ledger_of(self, campaign_uid: str) -> tuple[LedgerRow, ...]:
        """Return the ledger rows of a campaign in the order of recording."""
        return self._ledger.get(campaign_uid, ())

    def after(self, before: "Facts") -> "Facts":
        """Return these facts; where the store was not written to since, with the indexes made then."""
        if self.store is before.store:
            known = {name: made for name, made in before.__dict__.items() if name in _OF_THE_STORE}
            self.__dict__.update(known)
        return self

    def stock_of(self, row: CampaignRow) -> Stock:
        """Return what is kept of a campaign's checkpoints; of one row and one folder it is found out once."""
        seen = self.campaigns.get(row.name)
        complete = seen.all_complete if seen is not None else ()
        known = self._stocks.get(row.uid)
        if known is None or known.row is not row or known.complete is not complete:
            known = make_stock(row, self.ledger_of(row.uid), complete, self._stones(row))
            self._stocks[row.uid] = known
        return known

    def _stones(self, row: CampaignRow) -> dict[int, TrashRow]:
        """Return the tombstones in force among a campaign's ledger, by sequence."""
        ledger = self.ledger_of(row.uid) if self.tombstones else ()
        return {one.sequence: stone for one in ledger if (stone := self.tombstone(one)) is not None}

    @cached_property
    def _stocks(self) -> dict[str, Stock]:
        return {}

    def tombstone(self, row: LedgerRow) -> TrashRow | None:
        """Return the tombstone of a checkpoint that was dropped, by itself or with its whole campaign."""
        if not self.tombstones:
            return None
        return self.tombstones.get(row.sequence) or self.deletion(row.campaign_uid)

    def dropped(self, row: LedgerRow) -> TrashRow | None:
        """Return its tombstone, unless a copy elsewhere stands for it: such a one was moved, not dropped."""
        stone = self.tombstone(row)
        return None if stone is None or stone.is_moved else stone

    @cached_property
    def moved_out(self) -> dict[str, tuple[TrashRow, ...]]:
        """Campaign uid → the tombstones of what was moved out of the root and is not back."""
        stones = (stone for stone in self.tombstones.values() if stone.is_moved)
        return _grouped(stones, lambda stone: stone.campaign_uid)

    def deletion(self, campaign_uid: str) -> TrashRow | None:
        """Return the tombstone of a campaign that was deleted whole and not taken back."""
        return self._deletions.get(campaign_uid)

    def known_data(self, source_key: str) -> QuestDataRow | None:
        """Return the snapshot that was made for a quest's source once, whether or not it still lies there."""
        return self._quest_data.get(source_key)

    def quest_data(self, source_key: str) -> QuestDataRow | None:
        """Return the snapshot made for a quest's source, if its file still lies there whole."""
        row = self.known_data(source_key)
        whole = row is not None and self.snapshots.sizes.get(row.digest) == row.size_bytes
        return row if whole else None

    def taken_from_inbox(self, quest_id: str) -> InboxRow | None:
        """Return what was taken in from the inbox as this quest."""
        return self._inbox.get(quest_id)

    @cached_property
    def _inbox(self) -> dict[str, InboxRow]:
        return {row.quest_id: row for row in self.store.inbox}

    @property
    def deletions_wait_while(self) -> str | None:
        """Why nothing at all is deleted for now, in words; None: there is no such reason."""
        if self.store.older_copy is not None:
            return "the store is an older copy"
        if self.newer_rows is not None:
            return "a file of the store's rows is of newer software"
        if self.store.unseen_places:
            return "a place that may hold copies was not looked into"
        if self.source is not None and self.source.trouble is not None:
            return "the source of the specs is in doubt"
        return None

    @property
    def purges_wait_while(self) -> str | None:
        """Why nothing is deleted for good for now, in words: with mistakes in the specs no tick is clean."""
        if self.deletions_wait_while is None and self.mistaken_specs is not None:
            return f"the newest specs have mistakes ({self.mistaken_specs})"
        return self.deletions_wait_while

    @cached_property
    def in_trash(self) -> tuple[TrashRow, ...]:
        """The tombstones of what lies in the trash and takes room there."""
        return tuple(stone for stone in self.store.trash if stone.state in ("trashed", "purging"))

    def copies_of(self, sequence: int) -> tuple[CopyRow, ...]:
        """Return the copies outside the root of the checkpoint of a ledger row."""
        return self._copies.get(sequence, ()) if self.store.copies else ()

    @cached_property
    def _copies(self) -> dict[int, tuple[CopyRow, ...]]:
        found: dict[int, tuple[CopyRow, ...]] = {}
        for copy in self.store.copies:
            found[copy.sequence] = (*found.get(copy.sequence, ()), copy)
        return found

    @cached_property
    def damaged_forms(self) -> dict[str, tuple[TrashRow, ...]]:
        """Campaign uid → what lies damaged in the trash as the full form of what keeps its weights only."""
        return _grouped((one for one in self.in_trash if one.damage), lambda stone: stone.campaign_uid)

    @property
    def trash_bytes(self) -> int:
        """How much room the trash takes: it is free only after the purge."""
        return sum(stone.size_bytes for stone in self.in_trash)

    @cached_property
    def taken_back(self) -> dict[str, tuple[TrashRow, ...]]:
        """Campaign uid → what people took back out of the trash."""
        checkpoints = (stone for stone in self.restored if not stone.is_campaign)
        return _grouped(checkpoints, lambda stone: stone.campaign_uid)

    @cached_property
    def restored(self) -> tuple[TrashRow, ...]:
        """The tombstones of what people took back out of the trash, whole campaigns too."""
        return tuple(one for one in self.store.trash if one.state == "restored" and not one.is_moved)

    @cached_property
    def _deletions(self) -> dict[str, TrashRow]:
        return {stone.campaign_uid: stone for stone in self.tombstones.values() if stone.is_campaign}

    @cached_property
    def tombstones(self) -> dict[int, TrashRow]:
        """Sequence of a ledger row, or number of a deletion → the tombstone in force."""
        return {row.sequence: row for row in self.store.trash if row.state != "restored"}

    def failed_action(self, change_id: str) -> FailedAction | None:
        """Return how a change failed for good, if it did and has not succeeded since."""
        return self._failed.get(change_id)

    def last_failure(self, change_id: str) -> LastFailure | None:
        """Return how a change failed, for good or not, if it did and has not succeeded since."""
        return self._last_failures.get(change_id)

    @cached_property
    def _last_failures(self) -> dict[str, LastFailure]:
        return {one.id: one for one in self.store.last_failures}

    @cached_property
    def _failed(self) -> dict[str, FailedAction]:
        return {one.id: one for one in self.store.failed_actions}

    @cached_property
    def _by_name(self) -> dict[str, CampaignRow]:
        return {row.name: row for row in self.store.campaigns}

    @cached_property
    def _by_uid(self) -> dict[str, CampaignRow]:
        return {row.uid: row for row in self.store.campaigns}

    @cached_property
    def _runs(self) -> dict[str, tuple[RunRow, ...]]:
        return _grouped(self.store.runs, lambda run: run.campaign_uid)

    @cached_property
    def _segments(self) -> dict[str, tuple[SegmentRow, ...]]:
        return _grouped(self.store.segments, lambda segment: segment.campaign_uid)

    @cached_property
    def _jobs(self) -> dict[str, tuple[JobRow, ...]]:
        return _grouped(self.store.jobs, lambda job: job.campaign_uid)

    @cached_property
    def _job_by_uid(self) -> dict[str, JobRow]:
        return {job.uid: job for job in self.store.jobs}

    @cached_property
    def _jobs_by_quest(self) -> dict[str, tuple[JobRow, ...]]:
        return _grouped(self.store.jobs, lambda job: job.quest_id)

    @cached_property
    def _ledger(self) -> dict[str, tuple[LedgerRow, ...]]:
        return _grouped(self.store.ledger, lambda row: row.campaign_uid)

    @cached_property
    def _quest_data(self) -> dict[str, QuestDataRow]:
        return {row.source_key: row for row in self.store.quest_data}


_OF_THE_STORE = frozenset(name for name, made in vars(Facts).items() if isinstance(made, cached_property))
"""The indexes: each is made of the store's rows alone, and a stock is asked what folder it is of."""


def _grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, tuple[Row, ...]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return {name: tuple(group) for name, group in groups.items()}
