"""Ledger rows of what was dropped, from the folders in the trash: without them nothing is taken back."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from reconciler.app.rebuilding.sidecars import row_of_checkpoint, sidecar_of, words_on_newer
from reconciler.observed.checkpoints import checkpoint_of_any_name
from reconciler.observed.records import ForeignFolder, FoundCheckpoint
from state.ids import ARCHIVE, CAMPAIGNS, checkpoint_folder, recorded_folder
from state.layout import CampaignLayout, Layout
from state.store.lineage import manifest_row
from state.store.rows import CampaignRow, LedgerRow, TrashRow

IN_ARCHIVE = f"{CAMPAIGNS}/{ARCHIVE}/"


def rows_of_trash(
    layout: Layout, known: Iterable[msgspec.Struct], problems: list[str]
) -> Iterator[msgspec.Struct]:
    """Yield the rows and the manifests of dropped checkpoints that no row of the ledger tells of yet.

    What cannot be read, and what is of a campaign of which nothing is left, is named in `problems`.
    """
    known = tuple(known)
    recorded = {row.sequence for row in known if isinstance(row, LedgerRow)}
    homes = homes_of(known)
    for stone in stones_by_path(known).values():
        place = layout.root / stone.path
        is_due = stone.state == "trashed" and not stone.is_campaign and stone.keeps is None
        if not is_due or stone.sequence in recorded or not place.is_dir():
            continue
        found = checkpoint_of_any_name(place)
        if why := _why_not(stone, found, homes):
            problems.append(f"{place}: {why}; {stone.thing} cannot be taken back")
        elif isinstance(found, FoundCheckpoint):
            sidecar = sidecar_of(place) or {}
            problems += words_on_newer(found, sidecar)
            path = str(belongs_at(stone, homes[stone.campaign_uid]))
            yield row_of_checkpoint(found, sidecar, path=path, sequence=stone.sequence)
            yield manifest_row(found.manifest)


def stones_by_path(known: Iterable[msgspec.Struct]) -> dict[str, TrashRow]:
    """Return the tombstones by where they lie in the trash; of one that is told twice the later word."""
    return {row.path: row for row in known if isinstance(row, TrashRow)}


def homes_of(known: tuple[msgspec.Struct, ...]) -> dict[str, CampaignLayout]:
    """Return where each campaign belongs, below the root; a deleted one where it lay before."""
    deleted = {one.campaign_uid: one.origin for one in stones_by_path(known).values() if one.is_campaign}
    homes = {}
    for row in known:
        if isinstance(row, CampaignRow):
            was_archived = deleted.get(row.uid, "").startswith(IN_ARCHIVE) and row.status == "deleted"
            is_archived = row.status == "archived" or was_archived
            homes[row.uid] = CampaignLayout(Path(recorded_folder(row.folder_name, archived=is_archived)))
    return homes


def _why_not(
    stone: TrashRow, found: FoundCheckpoint | ForeignFolder, homes: Mapping[str, CampaignLayout]
) -> str | None:
    """Say why what lies there is not recorded again."""
    if isinstance(found, ForeignFolder):
        return found.reason
    if (found.manifest.campaign_uid, found.manifest.digest) != (stone.campaign_uid, stone.digest):
        return f"it is not what was dropped, which has digest {stone.digest}"
    return None if stone.campaign_uid in homes else f"nothing is left of its campaign {stone.campaign}"


def belongs_at(stone: TrashRow, home: CampaignLayout) -> Path:
    folder = home.checkpoints if stone.segment is None else home.segment(stone.segment)
    return folder / checkpoint_folder(stone.step)
