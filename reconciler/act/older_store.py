"""An older copy of the store that was put back: which numbers of checkpoints were used since.

Called when office is taken, before the copy is written to. The files beside the store know it: those of its
rows, the tombstones in the trash, and the `.ledger.json` in each checkpoint.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from state.contract.manifest import SIDECAR_NAME
from state.formats import decode_record
from state.inside import InTheWay, read_file
from state.layout import Layout
from state.store.row_files import read_row_files
from state.store.rows import CampaignRow, LedgerRow, TrashRow

_MOST = 2**53
"""A number above is none that was ever given."""


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoint with the highest number of the ledger that is known outside the store."""

    sequence: int
    thing: str
    """`<hero>/<campaign>@<step>`."""


def newest_numbered(layout: Layout) -> Numbered | None:
    """Return the newest number that files know; None: they know none. What cannot be read says nothing."""
    found = [*_of_rows(layout), *_of_stones(layout), *_of_sidecars(layout.campaigns)]
    known = (one for one in found if 0 < one.sequence < _MOST)
    return max(known, key=lambda one: one.sequence, default=None)


def older_copy_text(layout: Layout) -> str:
    """Return that an older copy was put back, what that means, and where numbers go on."""
    newest = newest_numbered(layout)
    goes_on = f"; numbers go on after {newest.sequence:,}, that of {newest.thing}" if newest else ""
    return (
        f"{layout.store} is an older copy that was put back: it does not know what happened since; "
        f"checkpoints that lie in the folders are recorded again{goes_on}; the history of runs is not; "
        "nothing is deleted until reconcile doctor --rebuild has made it again"
    )


def _of_rows(layout: Layout) -> Iterator[Numbered]:
    rows = read_row_files(layout.row_files).rows
    names = {row.uid: row.name for row in rows if isinstance(row, CampaignRow)}
    for row in rows:
        if isinstance(row, LedgerRow):
            campaign = names.get(row.campaign_uid, row.campaign_uid)
            yield Numbered(sequence=row.sequence, thing=f"{campaign}@{row.which}")
        elif isinstance(row, TrashRow):
            yield Numbered(sequence=row.sequence, thing=row.thing)


def _of_stones(layout: Layout) -> Iterator[Numbered]:
    for path in layout.trash.glob("*.json"):
        said = _record(path)
        yield from _numbered(said, str(said.get("campaign")))


def _of_sidecars(campaigns: Path) -> Iterator[Numbered]:
    for folder, _, files in os.walk(campaigns):
        if SIDECAR_NAME in files:
            said = _record(Path(folder) / SIDECAR_NAME)
            yield from _numbered(said, f"{said.get('hero_id')}/{said.get('campaign_id')}")


def _numbered(said: Mapping[str, object], campaign: str) -> Iterator[Numbered]:
    sequence = said.get("sequence")
    if isinstance(sequence, int):
        yield Numbered(sequence=sequence, thing=f"{campaign}@{said.get('step')}")


def _record(path: Path) -> Mapping[str, object]:
    """Return what a file says; nothing where it cannot be read or understood."""
    try:
        return decode_record(read_file(path))
    except (OSError, ValueError, InTheWay):
        return {}
