"""Everything that planning knows about the world, at one moment. Pure; app gathers it."""

from collections.abc import Mapping

import msgspec

from reconciler.observed.records import (
    CheckpointFacts,
    DerivedFacts,
    DiskFacts,
    GpuInventory,
    ModelFacts,
    QuestFileFacts,
    RunFacts,
    SnapshotFacts,
)
from state.ids import RunKey
from state.store.rows import CampaignRow, JobRow, LedgerRow, QuestDataRow, RunRow, StoreView


class CampaignFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in a campaign's folder and runs for it."""

    checkpoints: CheckpointFacts = CheckpointFacts()
    runs: tuple[RunFacts, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be understood among its runs."""
    starting: tuple[str, ...] = ()
    """Folders of launched runs that no process has claimed yet while one with their cookie lives."""

    def run(self, key: RunKey) -> RunFacts | None:
        """Return what was seen of the run with this key."""
        return next((run for run in self.runs if (run.generation, run.attempt) == key[1:]), None)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is."""

    store: StoreView
    disk: DiskFacts
    derived: DerivedFacts
    gpus: GpuInventory
    campaigns: Mapping[str, CampaignFacts] = {}
    """By campaign name."""
    snapshots: SnapshotFacts = SnapshotFacts()
    quest_files: Mapping[str, QuestFileFacts] = {}
    """By quest id."""
    held_out_files: Mapping[str, QuestFileFacts] = {}
    """By campaign name."""
    models: Mapping[str, ModelFacts] = {}
    """By hero id; only heroes that need weights from somewhere."""

    def campaign_row(self, name: str) -> CampaignRow | None:
        """Return the store's row of the campaign with this name."""
        return next((row for row in self.store.campaigns if row.name == name), None)

    def runs_of(self, campaign_uid: str) -> tuple[RunRow, ...]:
        """Return the launches of a campaign, oldest first."""
        return tuple(run for run in self.store.runs if run.campaign_uid == campaign_uid)

    def jobs_of(self, campaign_uid: str) -> tuple[JobRow, ...]:
        """Return the jobs of a campaign."""
        return tuple(job for job in self.store.jobs if job.campaign_uid == campaign_uid)

    def ledger_of(self, campaign_uid: str) -> tuple[LedgerRow, ...]:
        """Return the ledger rows of a campaign in the order of recording."""
        return tuple(row for row in self.store.ledger if row.campaign_uid == campaign_uid)

    def quest_data(self, source_key: str) -> QuestDataRow | None:
        """Return the snapshot made for a quest's source, if its file still lies there whole."""
        row = next((row for row in self.store.quest_data if row.source_key == source_key), None)
        whole = row is not None and self.snapshots.sizes.get(row.digest) == row.size_bytes
        return row if whole else None
