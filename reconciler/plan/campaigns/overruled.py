"""Between a line that asks for a clean-up and a person's undelete the newest word wins.

What is taken back while `keep: metrics` or `state: deleted` stands stays for as long as that very line
stands: the tombstone keeps which one it was. Once the line is gone, or says something else, that is
forgotten, and a line that is written later counts again, after its approval.
"""

from reconciler.plan.actions import ForgetUndelete
from reconciler.plan.actions.base import of_tombstone
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.stock import Stock
from reconciler.plan.world import World
from state.ids import deletion_number
from state.store.rows import CampaignRow, LedgerRow, TrashRow


def overruled(world: World, stock: Stock) -> list[LedgerRow]:
    """Return what lies there because a person took it back while the line that stands now stood."""
    line = world.cleanup_line(stock.row.name)
    return [one for one, stone in _back(world, stock) if line is not None and stone.overrules == line]


def taken_back_before(world: World, stock: Stock) -> list[LedgerRow]:
    """Return what lies there because it was taken back before the line that stands now was written."""
    line = world.cleanup_line(stock.row.name)
    return [one for one, stone in _back(world, stock) if stone.overrules != line]


def overruled_deletion(world: World, row: CampaignRow) -> TrashRow | None:
    """Return the tombstone of a campaign that was taken back whole while this `state: deleted` stood."""
    number = deletion_number(row.uid)
    stones = (stone for stone in world.facts.restored if stone.sequence == number)
    return next((one for one in stones if one.overrules == world.cleanup_line(row.name)), None)


def plan_forgotten(world: World, draft: Draft) -> None:
    """Forget which line an undelete overruled, once that line is gone."""
    for stone in world.facts.restored:
        if stone.overrules in (None, world.cleanup_line(stone.campaign)):
            continue
        draft.add(
            ForgetUndelete(
                **of_tombstone(stone),
                overrules=str(stone.overrules),
            ),
            subject=stone.subject,
            reason="the line that it overruled is gone; a later one counts",
            cause=f"{stone.overrules} is not in its spec any more",
            source="edit",
        )


def _back(world: World, stock: Stock) -> list[tuple[LedgerRow, TrashRow]]:
    stones = {stone.sequence: stone for stone in world.facts.taken_back.get(stock.row.uid, ())}
    found = ((one, stones.get(one.sequence)) for one in stock.kept if stock.is_there(one))
    return [(one, stone) for one, stone in found if stone is not None]
