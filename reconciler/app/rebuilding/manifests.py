"""The store's manifests, where their files are lost: each lies with its checkpoint, and with its copies.

Without them nothing is proven any more. A manifest proves itself by its digest, wherever it lies.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from reconciler.app.rebuilding.trashed import stones_by_path
from reconciler.app.rebuilding.words_on_lost import first_of
from reconciler.observed.checkpoints import MAX_MANIFEST_BYTES
from state.contract.files import ContractError, decode
from state.contract.manifest import MANIFEST_NAME, Manifest, manifest_digest
from state.inside import InTheWay, read_file
from state.layout import Layout
from state.store.lineage import manifest_row
from state.store.rows import CampaignRow, CopyRow, LedgerRow, ManifestRow, TrashRow


def lacking(known: Iterable[msgspec.Struct]) -> list[LedgerRow]:
    """Return the checkpoints of the ledger whose manifests no row tells."""
    known = tuple(known)
    there = {row.digest for row in known if isinstance(row, ManifestRow)}
    return [row for row in known if isinstance(row, LedgerRow) and row.digest not in there]


def rows_of_manifests(layout: Layout, known: Iterable[msgspec.Struct]) -> Iterator[ManifestRow]:
    """Yield the manifests that no row tells and that lie with checkpoints, in the trash, or with copies."""
    known = tuple(known)
    there = {row.digest for row in known if isinstance(row, ManifestRow)}
    stones, copies = list(stones_by_path(known).values()), [row for row in known if isinstance(row, CopyRow)]
    for row in lacking(known):
        places = _places(layout, row, stones, copies)
        if found := next((one for one in map(_manifest, places) if one and one.digest == row.digest), None):
            yield manifest_row(found)
    for stone in stones:
        if stone.keeps is None or stone.digest in there:
            continue
        full = _manifest(layout.root / stone.path)
        if full is not None and full.digest == stone.digest:
            yield manifest_row(full)


def words_on_lacking(rows: Iterable[LedgerRow], known: Iterable[msgspec.Struct]) -> str | None:
    """Say of which checkpoints the manifest is nowhere; None: each is told."""
    names = {row.uid: row.name for row in known if isinstance(row, CampaignRow)}
    named = [f"{names.get(row.campaign_uid, row.campaign_uid)}@{row.which}" for row in rows]
    if not named:
        return None
    return (
        f"the manifests of {first_of(named)} are in no file of rows, and lie nowhere: what "
        "they had learnt is not known, so prove says nothing of them or of what was trained from them"
    )


def _places(layout: Layout, row: LedgerRow, stones: list[TrashRow], copies: list[CopyRow]) -> Iterator[Path]:
    """Yield where the checkpoint may lie: in its place, in the trash, in its campaign there, in a copy."""
    yield layout.root / row.path
    for stone in stones:
        if stone.sequence == row.sequence:
            yield layout.root / stone.path
        elif stone.is_campaign and row.path.startswith(f"{stone.origin}/"):
            yield layout.root / stone.path / row.path.removeprefix(f"{stone.origin}/")
    yield from (Path(copy.path) for copy in copies if copy.sequence == row.sequence)


def _manifest(folder: Path) -> Manifest | None:
    """Return what the manifest in a folder says; None: there is none, or it was changed."""
    try:
        found = decode(read_file(folder / MANIFEST_NAME, MAX_MANIFEST_BYTES), Manifest, MANIFEST_NAME)
        return found if manifest_digest(found) == found.digest else None
    except (OSError, ValueError, ContractError, InTheWay):
        return None
