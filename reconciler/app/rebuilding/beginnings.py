"""How a campaign of which only its folder tells began, and which segment lives: as its manifests say.

They may lie in its folder, in the trash or elsewhere, and those of what was deleted among the rows.
"""

from collections.abc import Iterable, Sequence

import msgspec

from reconciler.app.rebuilding.segments import Told, living, rows_of_segments
from state.contract.files import ContractError
from state.contract.manifest import Manifest
from state.contract.request import RunRequest
from state.store.lineage import manifest_of
from state.store.rows import CampaignRow, LedgerRow, ManifestRow, SegmentRow


def with_beginnings(
    rows: Iterable[msgspec.Struct], requests: Sequence[RunRequest]
) -> tuple[msgspec.Struct, ...]:
    """Return the rows, in those of such campaigns what the manifests among them say, and their segments.

    `requests`: what the runs were asked to be, as their folders tell it.
    """
    rows = tuple(rows)
    alone = [row for row in rows if isinstance(row, CampaignRow) and row.is_told_by_its_folder]
    manifests = [found for row in rows if alone and (found := _manifest(row)) is not None]
    begun: list[msgspec.Struct] = []
    for row in alone:
        own = tuple(one for one in manifests if one.campaign_uid == row.uid)
        segments = rows_of_segments(_told(row, rows, own, requests))
        begun += [_begun(row, own, living(segments)), *segments]
    uids = {row.uid for row in alone}
    return (*(row for row in rows if not _is_of(row, uids)), *begun)


def _told(
    row: CampaignRow,
    rows: Sequence[msgspec.Struct],
    manifests: tuple[Manifest, ...],
    requests: Sequence[RunRequest],
) -> Told:
    asked = [one for one in requests if one.campaign_uid == row.uid]
    return Told(
        row=row,
        known=tuple(one for one in rows if isinstance(one, SegmentRow) and one.campaign_uid == row.uid),
        manifests=manifests,
        ledger=tuple(one for one in rows if isinstance(one, LedgerRow) and one.campaign_uid == row.uid),
        requests=tuple(sorted(asked, key=lambda one: (one.generation, one.attempt))),
    )


def _is_of(row: msgspec.Struct, uids: set[str]) -> bool:
    """Is it a row of these campaigns that is said anew?"""
    if isinstance(row, SegmentRow):
        return row.campaign_uid in uids
    return isinstance(row, CampaignRow) and row.uid in uids


def _manifest(row: msgspec.Struct) -> Manifest | None:
    try:
        return manifest_of(row) if isinstance(row, ManifestRow) else None
    except ContractError:
        return None  # of a newer software


def _begun(row: CampaignRow, manifests: Sequence[Manifest], segment: int) -> CampaignRow:
    row = msgspec.structs.replace(row, segment=segment)
    origin = next((one.origin for one in manifests if one.origin is not None), None)
    if origin is None:
        return row
    return msgspec.structs.replace(
        row, starting_step=origin.step, starting_digest=origin.digest, parent_uid=origin.campaign_uid
    )
