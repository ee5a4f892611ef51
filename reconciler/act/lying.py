"""Where a campaign's checkpoints lie now: the living history in `checkpoints/`, the others by segment."""

from collections.abc import Iterator
from pathlib import Path

from reconciler.act.derived import places_of
from reconciler.act.errors import Temporary
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.observed.records import FoundCheckpoint
from state.layout import CampaignLayout
from state.store.rows import LedgerRow, SegmentRow
from state.store.tables import select


def find_lying(tools: Tools, campaign_uid: str, campaign: str, digest: str) -> FoundCheckpoint | None:
    """Return the complete checkpoint with this digest, wherever in the campaign's folder it lies.

    Raises:
        Temporary: a folder cannot be read, so what lies there is unknown.
    """
    places = places_of(tools, campaign_uid, campaign)
    found = all_lying(tools, campaign_uid, places)
    return next((one for one in found if one.manifest.digest == digest), None)


def all_lying(tools: Tools, campaign_uid: str, places: CampaignLayout) -> Iterator[FoundCheckpoint]:
    """Yield every complete checkpoint below a campaign's folder, those of the living history first.

    Raises:
        Temporary: a folder cannot be read, so what lies there is unknown.
    """
    for folder in (places.checkpoints, *segment_folders(tools, campaign_uid, places)):
        facts = observe_checkpoints(folder, tools.layout.root, campaign_uid)
        if facts.problem is not None:
            raise Temporary(facts.problem)
        yield from facts.complete


def segment_folders(tools: Tools, campaign_uid: str, places: CampaignLayout) -> list[Path]:
    """Return the folders that the campaign's segments have, or may have; none before its second one."""
    with tools.writer.transaction() as store:
        rows = select(store, SegmentRow, "WHERE campaign_uid = ?", campaign_uid)
    return [places.segment(number) for number in (1, *(row.number for row in rows))] if rows else []


def place_of(places: CampaignLayout, row: LedgerRow) -> Path:
    """Return where a checkpoint of the ledger belongs in its campaign's folder, at home or in the archive."""
    return places.folder.joinpath(*row.path.split("/")[-2 if row.is_living else -3 :])
