"""Which copies of a checkpoint outside the root are right, as far as is known, and stand for it. Pure."""

from collections.abc import Iterator

from reconciler.observed.facts import Facts
from reconciler.plan.keeping.stock import Stock
from state.store.rows import CopyRow, LedgerRow, TrashRow


def whole_copies(facts: Facts, one: LedgerRow | TrashRow) -> tuple[CopyRow, ...]:
    """Return the copies of a checkpoint, or of what its tombstone names, that were right when last looked at.

    One whose disk is away counts: nothing is known against it.
    """
    copies = facts.copies_of(one.sequence)
    return tuple(copy for copy in copies if copy.damage is None and copy.digest == one.digest)


def is_elsewhere(facts: Facts, one: LedgerRow) -> bool:
    """Was a checkpoint moved out of the root, and does a whole copy stand for it?"""
    stone = facts.tombstone(one)
    return stone is not None and stone.is_moved and bool(whole_copies(facts, one))


def moved_out(facts: Facts, stock: Stock) -> Iterator[LedgerRow]:
    """Yield what of a campaign was moved out of the root, and for which a whole copy stands."""
    if stock.row.uid in facts.moved_out:
        yield from (one for one in stock.in_force.values() if is_elsewhere(facts, one))


def lost_elsewhere(facts: Facts, stock: Stock) -> Iterator[LedgerRow]:
    """Yield what was moved out of the root, and of which no copy is right any more."""
    stones = {stone.sequence: stone for stone in facts.moved_out.get(stock.row.uid, ())}
    for one in stock.in_force.values() if stones else ():
        stone = stones.get(one.sequence)
        if stone is not None and stone.state != "trashed" and not whole_copies(facts, one):
            yield one
