"""What is kept of a campaign's checkpoints: the rows of its ledger beside what lies there."""

from typing import NamedTuple

from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow


class Stock(NamedTuple):
    """The checkpoints of one campaign."""

    row: CampaignRow
    ledger: tuple[LedgerRow, ...]
    """In the order of recording."""
    in_force: dict[tuple[int, int], LedgerRow]
    """By segment and step, the row recorded last: a lost checkpoint may have been saved again."""
    there: frozenset[str]
    """Digests of what lies there whole."""
    kept: tuple[LedgerRow, ...]
    """Those in force that were never dropped, or were taken back."""

    def is_in_force(self, one: LedgerRow) -> bool:
        """Is this the last row of its place?"""
        return self.in_force[one.segment, one.step].sequence == one.sequence

    def is_there(self, one: LedgerRow) -> bool:
        """Does it lie there, as it was recorded?"""
        return one.digest in self.there and one.damage is None


def stock_of(world: World, row: CampaignRow) -> Stock:
    """Return what is known of a campaign's checkpoints."""
    facts = world.facts
    ledger = facts.ledger_of(row.uid)
    in_force = {(one.segment, one.step): one for one in ledger}
    return Stock(
        row=row,
        ledger=ledger,
        in_force=in_force,
        there=frozenset([found.digest for found in world.seen(row.name).checkpoints.complete]),
        kept=tuple([one for one in in_force.values() if facts.tombstone(one) is None]),
    )


def lost(stock: Stock) -> list[LedgerRow]:
    """Return the recorded checkpoints that are missing or damaged and were never dropped."""
    return [one for one in stock.kept if not stock.is_there(one)]
