"""What is kept of a campaign's checkpoints: the rows of its ledger beside what lies there."""

from typing import NamedTuple

from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow, TrashRow


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
    lost: tuple[LedgerRow, ...]
    """Those of them that are missing or damaged, and those in the trash that were found damaged there."""

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
    last = tuple(in_force.values())
    kept = tuple([one for one in last if facts.tombstone(one) is None]) if facts.tombstones else last
    there = frozenset([found.digest for found in world.seen(row.name).all_complete])
    lost = [one for one in kept if one.digest not in there or one.damage is not None]
    if facts.tombstones:
        lost += [one for one in last if one.damage is not None and _is_in_trash(facts.tombstone(one))]
    return Stock(row, ledger, in_force, there, kept, tuple(lost))


def _is_in_trash(stone: TrashRow | None) -> bool:
    return stone is not None and stone.state == "trashed"
