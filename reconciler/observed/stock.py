"""What is kept of a campaign's checkpoints: the rows of its ledger beside what lies there. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconciler.observed.records import FoundCheckpoint
from state.store.rows import CampaignRow, LedgerRow, TrashRow


class Stock(NamedTuple):
    """The checkpoints of one campaign."""

    row: CampaignRow
    ledger: tuple[LedgerRow, ...]
    """In the order of recording."""
    in_force: Mapping[tuple[int, int], LedgerRow]
    """By segment and step, the row recorded last: a lost checkpoint may have been saved again."""
    there: frozenset[str]
    """Digests of what lies there whole."""
    kept: tuple[LedgerRow, ...]
    """Those in force that were never dropped, or were taken back."""
    lost: tuple[LedgerRow, ...]
    """Those of them that are missing or damaged, and those in the trash that were found damaged there."""

    def is_in_force(self, one: LedgerRow) -> bool:
        """Is this the last row of its place?"""
        return self.in_force[one.segment, one.step].sequence == one.sequence

    def is_there(self, one: LedgerRow) -> bool:
        """Does it lie there, as it was recorded?"""
        return one.digest in self.there and one.damage is None


def make_stock(
    row: CampaignRow,
    ledger: tuple[LedgerRow, ...],
    complete: Sequence[FoundCheckpoint],
    stones: Mapping[int, TrashRow],
) -> Stock:
    """Return the stock of a campaign; `stones`: the tombstones in force among its ledger, by sequence."""
    in_force = {(one.segment, one.step): one for one in ledger}
    last = tuple(in_force.values())
    kept = tuple([one for one in last if one.sequence not in stones]) if stones else last
    there = frozenset([found.digest for found in complete])
    lost = [one for one in kept if one.digest not in there or one.damage is not None]
    if stones:
        lost += [one for one in last if one.damage is not None and _is_in_trash(stones.get(one.sequence))]
    return Stock(row, ledger, in_force, there, kept, tuple(lost))


def _is_in_trash(stone: TrashRow | None) -> bool:
    return stone is not None and stone.state == "trashed"
