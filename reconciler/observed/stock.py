"""What is kept of a campaign's checkpoints: the rows of its ledger beside what lies there. Pure."""

from collections.abc import Iterable, Mapping, Set
from functools import cached_property

import msgspec

from reconciler.observed.records import FoundCheckpoint
from state.store.rows import CampaignRow, LedgerRow, TrashRow


class Stock(msgspec.Struct, frozen=True, dict=True):
    """The checkpoints of one campaign."""

    row: CampaignRow
    ledger: tuple[LedgerRow, ...]
    """In the order of recording."""
    complete: tuple[FoundCheckpoint, ...]
    """What lies there whole."""
    kept: tuple[LedgerRow, ...]
    """Those in force that were never dropped, or were taken back."""
    lost: tuple[LedgerRow, ...]
    """Those of them that are missing or damaged, and those in the trash that were found damaged there."""
    is_whole: bool = False
    """Each row lies there undamaged, step by step, and nothing else: so it is with most campaigns."""

    @cached_property
    def in_force(self) -> Mapping[tuple[int, int], LedgerRow]:
        """By segment and step, the row recorded last: a lost checkpoint may have been saved again."""
        return _in_force(self.ledger)

    @cached_property
    def by_sequence(self) -> Mapping[int, LedgerRow]:
        """Those in force."""
        return {one.sequence: one for one in self.in_force.values()}

    @cached_property
    def by_digest(self) -> Mapping[str, LedgerRow]:
        """Of rows with one digest the last."""
        return {one.digest: one for one in self.ledger}

    @cached_property
    def there(self) -> Set[str]:
        """Digests of what lies there whole."""
        return _digests(self.complete)

    def is_in_force(self, one: LedgerRow) -> bool:
        """Is this the last row of its place?"""
        return self.in_force[one.segment, one.step].sequence == one.sequence

    def is_there(self, one: LedgerRow) -> bool:
        """Does it lie there, as it was recorded?"""
        return one.digest in self.there and one.damage is None


def make_stock(
    row: CampaignRow,
    ledger: tuple[LedgerRow, ...],
    complete: tuple[FoundCheckpoint, ...],
    stones: Mapping[int, TrashRow],
) -> Stock:
    """Return the stock of a campaign; `stones`: the tombstones in force among its ledger, by sequence."""
    if not stones and _is_whole(ledger, complete):
        return Stock(row, ledger, complete, kept=ledger, lost=(), is_whole=True)
    last, there = tuple(_in_force(ledger).values()), _digests(complete)
    kept = tuple([one for one in last if one.sequence not in stones])
    lost = [one for one in kept if one.digest not in there or one.damage is not None]
    lost += [one for one in last if one.damage is not None and _is_in_trash(stones.get(one.sequence))]
    return Stock(row, ledger, complete, kept=kept, lost=tuple(lost))


def rows_in_force(ledger: Iterable[LedgerRow]) -> tuple[LedgerRow, ...]:
    """Return, of rows of whatever campaigns in the order of recording, the last of each place."""
    return tuple({(one.campaign_uid, one.segment, one.step): one for one in ledger}.values())


def _is_whole(ledger: tuple[LedgerRow, ...], complete: tuple[FoundCheckpoint, ...]) -> bool:
    """Does each row lie there undamaged, step by step, and nothing else? Then each is in force."""
    if len(ledger) != len(complete):
        return False
    steps = [one.step for one in ledger if one.damage is None]
    return (
        steps == [found.step for found in complete]
        and [one.digest for one in ledger] == [found.digest for found in complete]
        and all(map(int.__lt__, steps, steps[1:]))
    )


def _in_force(ledger: tuple[LedgerRow, ...]) -> dict[tuple[int, int], LedgerRow]:
    return {(one.segment, one.step): one for one in ledger}


def _digests(complete: tuple[FoundCheckpoint, ...]) -> frozenset[str]:
    return frozenset([found.digest for found in complete])


def _is_in_trash(stone: TrashRow | None) -> bool:
    return stone is not None and stone.state == "trashed"
