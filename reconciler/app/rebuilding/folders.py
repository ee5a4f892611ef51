"""Rows that no file of rows says, from the folders themselves: campaigns, runs, checkpoints.

What a folder does not tell is left out: the next plan finds it as it finds anything that is new.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from reconciler.app.rebuilding.campaign_folders import CampaignFolder, campaigns_in
from reconciler.app.rebuilding.sidecars import row_of_checkpoint, sidecar_of, words_on_newer
from reconciler.app.rebuilding.trashed import rows_of_trash
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.observed.records import FoundCheckpoint, RunFacts
from reconciler.observed.runs import observe_runs
from state.campaign_file import card_of, segments_of
from state.cards import encode_card
from state.contract.files import ContractError, read
from state.contract.request import RunRequest
from state.layout import Layout, RunLayout
from state.moments import in_utc
from state.store.lineage import manifest_row
from state.store.marks import both, marks_of, with_marks
from state.store.rows import REBUILD, CampaignRow, LedgerRow, RunRow

_UNKNOWN_JOBS = (
    "only its folder was left: which quests it has learnt is not known; reconcile skip those it has"
)


class FolderRows(msgspec.Struct, frozen=True, kw_only=True):
    """What the folders tell beyond the rows that are known."""

    rows: tuple[msgspec.Struct, ...]
    campaigns: tuple[str, ...]
    """Names of those that only their folder tells of."""
    realm_uid: str | None
    """As the runs were told it; None: there is no run."""
    root_place: str | None
    """Where the root lay then: a copy of it knows that it is one."""
    problems: tuple[str, ...]
    requests: tuple[RunRequest, ...]
    """What the runs were asked to be."""


class _Gathering:
    """Collects what campaigns' folders tell beyond the rows that are known."""

    def __init__(self, layout: Layout, known: Sequence[msgspec.Struct], now: str) -> None:
        self._layout, self._now = layout, now
        self._named = {row.uid: row.name for row in known if isinstance(row, CampaignRow)}
        self._taken = {row.sequence for row in known if isinstance(row, LedgerRow)}
        self._runs = {_key(row) for row in known if isinstance(row, RunRow)}
        self._rows: list[msgspec.Struct] = []
        self._campaigns: list[str] = []
        self._requests: list[RunRequest] = []
        self.problems: list[str] = []

    def take(self, campaign: CampaignFolder) -> None:
        uid, requests = campaign.uid, list(_requests(self._layout, campaign, self.problems))
        self._requests += [request for _, request in requests]
        runs = [_run_row(campaign, *found) for found in requests]
        self._rows += [run for run in runs if _key(run) not in self._runs and run.campaign_uid == uid]
        if uid and uid not in self._named and campaign.name not in self._named.values():
            self._named[uid] = campaign.name
            self._campaigns.append(campaign.name)
            made = _campaign_rows(self._layout, campaign, uid, runs, self._now, self.problems)
            self._rows += (row for row in made if not _is_taken(row, self._taken))

    def found(self, known: Sequence[msgspec.Struct]) -> FolderRows:
        """Return all of it, with what lies in the trash."""
        self._rows += rows_of_trash(self._layout, (*known, *self._rows), self.problems)
        last = self._requests[-1] if self._requests else None
        return FolderRows(
            rows=tuple(self._rows),
            campaigns=tuple(self._campaigns),
            realm_uid=last.realm_uid if last is not None else None,
            root_place=str(Path(last.trainer_lock).parent.parent) if last is not None else None,
            problems=tuple(self.problems),
            requests=tuple(self._requests),
        )


def rows_of_folders(layout: Layout, known: Iterable[msgspec.Struct], now: str) -> FolderRows:
    """Return the rows of campaigns that are not known, and of runs that are not.

    A campaign that only its folder tells of is paused: its jobs are not known, and nothing is learnt twice.
    """
    known = tuple(known)
    gathering = _Gathering(layout, known, now)
    for campaign in campaigns_in(layout, known, gathering.problems):
        gathering.take(campaign)
    return gathering.found(known)


def rows_of_sidecars(layout: Layout, known: Iterable[msgspec.Struct]) -> Iterator[msgspec.Struct]:
    """Yield what the checkpoints of known campaigns say beyond a store that may be older than they are.

    Those that it does not know yet, under the numbers that they had; and those that were marked since.
    """
    known = tuple(known)
    uids = {row.uid for row in known if isinstance(row, CampaignRow)}
    ledger = {row.sequence: row for row in known if isinstance(row, LedgerRow)}
    recorded = {(row.campaign_uid, row.digest) for row in ledger.values()}
    for campaign in campaigns_in(layout, known, []):
        uid = campaign.uid
        for found in _checkpoints(layout, campaign, uid) if uid in uids else ():
            sidecar = sidecar_of(Path(found.path))
            row = _ledger_row(layout, campaign, found, sidecar) if sidecar is not None else None
            if row is None:
                continue
            if row.sequence not in ledger and (uid, row.digest) not in recorded:
                yield row
                yield manifest_row(found.manifest)
            elif (old := ledger.get(row.sequence)) is not None and old.digest == row.digest:
                marks = both(marks_of(old), marks_of(row))
                if marks != marks_of(old):
                    yield with_marks(old, marks)


def _is_taken(row: msgspec.Struct, taken: set[int]) -> bool:
    """Has another row its sequence, or is it kept for it now? Without its row it is recorded again."""
    if not isinstance(row, LedgerRow):
        return False
    is_taken = row.sequence in taken
    taken.add(row.sequence)
    return is_taken


def _requests(
    layout: Layout, campaign: CampaignFolder, problems: list[str]
) -> Iterator[tuple[RunFacts, RunRequest]]:
    seen = observe_runs(campaign.places, layout.root)
    problems += seen.problems
    for run in seen.runs:
        try:
            yield run, read(RunLayout(Path(run.folder)).request, RunRequest)
        except FileNotFoundError:
            continue  # killed before it was asked for anything; its number stays used by its folder
        except ContractError as error:
            problems.append(f"{error}; the run is left out")


def _key(row: RunRow) -> tuple[str, int, int]:
    return row.campaign_uid, row.generation, row.attempt


def _run_row(campaign: CampaignFolder, seen: RunFacts, request: RunRequest) -> RunRow:
    """Return the row of a run; one that left no word is open still, and the next plan closes or adopts it."""
    left, process = seen.exit, seen.process
    launched_at = process.claimed_at if process is not None else _beginning(campaign)
    return RunRow(
        campaign_uid=request.campaign_uid,
        generation=request.generation,
        attempt=request.attempt,
        state="ended" if left is not None and not seen.alive else "running",
        cookie=process.cookie if process is not None else "",
        config_hash=request.config_hash,
        config_json=msgspec.json.encode(request.config).decode(),
        code_version=str(request.code_version),
        specs_commit=request.specs_commit,
        device=request.device,
        resume_step=request.resume_step,
        launched_at=launched_at,
        pid=process.pid if process is not None else None,
        ended_at=left.exited_at if left is not None else None,
        end=left.reason if left is not None else None,
        failure_class=left.failure_class if left is not None else None,
        message=left.message if left is not None else None,
        quest_id=left.quest_id if left is not None else None,
        final_step=left.step if left is not None else None,
        last_checkpoint_step=left.last_checkpoint_step if left is not None else None,
        segment=request.segment,
    )


def _beginning(campaign: CampaignFolder) -> str:
    """Return when the campaign began: a run that was never claimed does not say when it was launched."""
    return in_utc(campaign.record.get("created_at")) or "1970-01-01T00:00:00Z"


def _campaign_rows(
    layout: Layout, campaign: CampaignFolder, uid: str, runs: list[RunRow], now: str, problems: list[str]
) -> Iterator[msgspec.Struct]:
    """Yield the rows of a campaign that only its folder tells of."""
    record = campaign.record
    begun = record.get("starting_checkpoint")
    yield CampaignRow(
        uid=uid,
        name=campaign.name,
        former_names=campaign.former_names,
        status=campaign.status,
        created_at=_beginning(campaign),
        generation=max((run.generation for run in runs), default=0),
        config_hash=_text(record, "config_hash"),
        code_version=_text(record, "code_version"),
        specs_commit=_text(record, "specs_commit"),
        card_json=_card(record),
        hold="pause",
        hold_by=REBUILD,
        hold_why=_UNKNOWN_JOBS,
        hold_at=now,
        archived_at=in_utc(record.get("archived_at")) if campaign.is_archived else None,
        starting_from=begun if isinstance(begun, str) else None,
        starting_checkpoint=begun if isinstance(begun, str) else None,
    )
    yield from segments_of(record, uid)
    for one in _checkpoints(layout, campaign, uid):
        sidecar = sidecar_of(Path(one.path))
        if sidecar is not None:
            problems += words_on_newer(one, sidecar)
            yield _ledger_row(layout, campaign, one, sidecar)
            yield manifest_row(one.manifest)


def _checkpoints(layout: Layout, campaign: CampaignFolder, uid: str) -> Iterator[FoundCheckpoint]:
    folders = [campaign.places.checkpoints]
    if campaign.places.segments.is_dir():
        folders += sorted(campaign.places.segments.iterdir())
    for folder in folders:
        yield from observe_checkpoints(folder, layout.root, uid).complete


def _ledger_row(
    layout: Layout, campaign: CampaignFolder, found: FoundCheckpoint, sidecar: Mapping[str, Any]
) -> LedgerRow:
    path = campaign.origin / Path(found.path).relative_to(campaign.places.folder)
    return row_of_checkpoint(
        found, sidecar, path=str(path.relative_to(layout.root)), sequence=int(sidecar["sequence"])
    )


def _text(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    return value if isinstance(value, str) else None


def _card(record: Mapping[str, Any]) -> str:
    try:
        return encode_card(card_of(record))
    except ValueError:
        return ""  # the next plan takes it from the spec
