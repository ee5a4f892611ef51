"""Marks of checkpoints from their campaign's index of the ledger, which stays in the root.

What lies only elsewhere has no sidecar there, and a mark that was made while it lay in the trash is in none.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from reconciler.app.rebuilding.campaign_folders import CampaignFolder, campaigns_in
from reconciler.app.rebuilding.sidecars import marks_said
from state.formats import decode_record
from state.inside import InTheWay, read_file
from state.layout import Layout
from state.store.marks import both, marks_of, with_marks
from state.store.rows import LedgerRow, Marks


def with_indexed_marks(
    layout: Layout, known: Iterable[msgspec.Struct], rows: Iterable[msgspec.Struct]
) -> tuple[msgspec.Struct, ...]:
    """Return the rows; those of the ledger that were not `known` with the marks that the indexes say, too."""
    known, rows = tuple(known), tuple(rows)
    told = {one.sequence for one in known if isinstance(one, LedgerRow)}
    if not any(isinstance(row, LedgerRow) and row.sequence not in told for row in rows):
        return rows
    marks = dict(_marks_in_indexes(layout, (*known, *rows)))
    return tuple(
        _marked(row, marks) if isinstance(row, LedgerRow) and row.sequence not in told else row
        for row in rows
    )


def _marked(row: LedgerRow, marks: Mapping[tuple[str, str], Marks]) -> LedgerRow:
    known = marks_of(row)
    more = both(known, marks.get((row.campaign_uid, row.digest), known))
    return with_marks(row, more) if more != known else row


def _marks_in_indexes(
    layout: Layout, rows: Iterable[msgspec.Struct]
) -> Iterator[tuple[tuple[str, str], Marks]]:
    """Yield the marks of each checkpoint that an index tells of, by its campaign's uid and its digest."""
    for campaign in campaigns_in(layout, rows, []):
        for said in _records(campaign):
            yield (campaign.uid, str(said.get("digest"))), marks_said(said)


def _records(campaign: CampaignFolder) -> Iterator[Mapping[str, Any]]:
    try:
        index = decode_record(read_file(campaign.places.checkpoint_index))
    except (OSError, ValueError, InTheWay):
        return  # gone or damaged: then the sidecars alone tell of marks
    checkpoints = index.get("checkpoints")
    if isinstance(checkpoints, dict):
        yield from (said for said in checkpoints.values() if isinstance(said, dict))
