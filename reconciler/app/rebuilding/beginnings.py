"""How a campaign of which only its folder tells began, and which segment lives: as its manifests say.

They may lie in its folder, in the trash or elsewhere, and those of what was deleted among the rows.
"""

from collections.abc import Iterable

import msgspec

from state.contract.files import ContractError
from state.contract.manifest import Manifest
from state.store.lineage import manifest_of
from state.store.rows import CampaignRow, ManifestRow


def with_beginnings(rows: Iterable[msgspec.Struct]) -> tuple[msgspec.Struct, ...]:
    """Return the rows, and in those of such campaigns what the manifests among them say."""
    rows = tuple(rows)
    alone = {row.uid for row in rows if isinstance(row, CampaignRow) and row.is_told_by_its_folder}
    manifests: dict[str, list[Manifest]] = {uid: [] for uid in alone}
    for row in rows if alone else ():
        found = _manifest(row)
        if found is not None and found.campaign_uid in alone:
            manifests[found.campaign_uid].append(found)
    return tuple(
        _begun(row, manifests[row.uid]) if isinstance(row, CampaignRow) and row.uid in alone else row
        for row in rows
    )


def _manifest(row: msgspec.Struct) -> Manifest | None:
    try:
        return manifest_of(row) if isinstance(row, ManifestRow) else None
    except ContractError:
        return None  # of a newer software


def _begun(row: CampaignRow, manifests: list[Manifest]) -> CampaignRow:
    row = msgspec.structs.replace(row, segment=max([row.segment, *(one.segment for one in manifests)]))
    origin = next((one.origin for one in manifests if one.origin is not None), None)
    if origin is None:
        return row
    return msgspec.structs.replace(
        row, starting_step=origin.step, starting_digest=origin.digest, parent_uid=origin.campaign_uid
    )
