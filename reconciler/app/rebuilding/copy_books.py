"""Which copies outside the root are proven to be of this root's checkpoints, and the rows that say so.

A manifest proves itself by its digest, and whose it is by the campaign's uid; that it is a checkpoint of this
root is said by a row of the ledger, or by a tombstone. What neither of them tells of is named, not taken in.
"""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reconciler.app.rebuilding.found_copies import FoundCopy
from reconciler.app.rebuilding.trashed import belongs_at, homes_of, stones_by_path
from reconciler.observed.records import ForeignFolder, FoundCheckpoint
from reconciler.plan.checkpoints.ledger_rows import ledger_row
from state.contract.manifest import MANIFEST_NAME
from state.ids import campaign_uid
from state.store.lineage import manifest_row
from state.store.rows import NEVER_READ, CampaignRow, CopyKind, CopyRow, LedgerRow, TrashRow


class CopyBooks:
    """The rows that are known, and those that the copies which are taken in add to them."""

    def __init__(self, known: Iterable[msgspec.Struct], realm_uid: str) -> None:
        known = tuple(known)
        self._realm_uid = realm_uid
        self._homes = homes_of(known)
        self._names = {row.uid: row.folder_name for row in known if isinstance(row, CampaignRow)}
        ledger = [row for row in known if isinstance(row, LedgerRow)]
        self._ledger = {(row.campaign_uid, row.digest): row for row in ledger}
        self._sequences = {row.sequence for row in ledger}
        stones = (one for one in stones_by_path(known).values() if one.keeps is None and not one.is_campaign)
        self._stones = {(one.campaign_uid, one.digest): one for one in stones}
        self._copies = {(row.sequence, row.path): row for row in known if isinstance(row, CopyRow)}
        self.rows: list[msgspec.Struct] = []
        self.taken: list[CopyRow] = []
        self.strange: list[str] = []
        """What is of this realm, or lies in the folder of one of its campaigns, and is not taken in."""

    def take(self, there: FoundCopy, kind: CopyKind) -> None:
        """Take in what is proven to be a copy of one of this root's checkpoints; name what may be one."""
        match there.found:
            case FoundCheckpoint() as found:
                self._take_whole(there.folder_name, found, kind)
            case ForeignFolder(path=path, reason=reason) if there.folder_name in self._names.values():
                self.strange.append(f"{path}: {reason}")
            case ForeignFolder():
                pass  # of people, or of other software

    def take_known(self, found: FoundCheckpoint) -> None:
        """Make the ledger row of a copy that has its own row."""
        self._row_of(found)

    def without_ledger(self) -> Iterator[CopyRow]:
        """Yield the copies whose checkpoint no row of the ledger tells of."""
        yield from (copy for copy in self._copies.values() if copy.sequence not in self._sequences)

    def lonely(self, acknowledged: frozenset[str]) -> list[TrashRow]:
        """Return what was moved out and of which no whole copy, or no row of the ledger, is known."""
        whole = {(copy.sequence, copy.digest) for copy in self._copies.values() if copy.damage is None}
        return [
            one
            for one in self._stones.values()
            if one.is_moved and one.state != "restored" and one.thing not in acknowledged
            if one.sequence not in self._sequences or (one.sequence, one.digest) not in whole
        ]

    def knows(self, path: str) -> bool:
        """Has a copy in this folder its row?"""
        return any(copy.path == path for copy in self._copies.values())

    def _take_whole(self, folder_name: str, found: FoundCheckpoint, kind: CopyKind) -> None:
        uid = found.manifest.campaign_uid
        if self._names.get(uid) != folder_name:
            if uid in self._names or uid == campaign_uid(self._realm_uid, folder_name):
                self.strange.append(f"{found.path}: nothing in the root tells of its campaign")
            return  # of another realm
        row = self._row_of(found)
        if row is None:
            self.strange.append(f"{found.path}: no row of the ledger and no tombstone tells of it")
        elif (row.sequence, found.path) not in self._copies:
            self._add_copy(row, found, kind)

    def _row_of(self, found: FoundCheckpoint) -> LedgerRow | None:
        """Return the checkpoint's row of the ledger; one that only its tombstone tells of gets it again."""
        key = found.manifest.campaign_uid, found.manifest.digest
        stone = self._stones.get(key)
        if key in self._ledger or stone is None or stone.sequence in self._sequences:
            return self._ledger.get(key)
        path = belongs_at(stone, self._homes[stone.campaign_uid])
        row = ledger_row(found, path=str(path), sequence=stone.sequence)
        self._ledger[key] = row
        self._sequences.add(row.sequence)
        self.rows += [row, manifest_row(found.manifest)]
        return row

    def _add_copy(self, row: LedgerRow, found: FoundCheckpoint, kind: CopyKind) -> None:
        copy = CopyRow(
            sequence=row.sequence,
            path=found.path,
            kind=kind,
            digest=row.digest,
            size_bytes=found.size_bytes,
            made_at=_made_at(Path(found.path)),
            checked_at=NEVER_READ,
        )
        self._copies[copy.sequence, copy.path] = copy
        self.rows.append(copy)
        self.taken.append(copy)


def _made_at(folder: Path) -> str:
    """Return when the copy's manifest, the last of its files, was written."""
    seconds = os.lstat(folder / MANIFEST_NAME).st_mtime
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
