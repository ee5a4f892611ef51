"""What a store that was made again does not know of a campaign: nothing of it is deleted meanwhile. Pure."""

import msgspec

from reconciler.plan.keeping.elsewhere import moved_out, whole_copies
from reconciler.plan.keeping.stock import Stock
from reconciler.plan.world import World
from state.store.rows import NEVER_READ

ACKNOWLEDGE = "list what is lost under acknowledged_losses in specs/retention.yaml"


class Doubt(msgspec.Struct, frozen=True):
    """Why nothing of a campaign is deleted."""

    why: str
    way_out: str | None
    """What a person does who wants it deleted all the same; None: nothing but taking it back."""
    spares_moved: bool = False
    """Does what a copy stands for go all the same? That copy is read before it goes."""


def forgotten(world: World, stock: Stock) -> Doubt | None:
    """Say what nobody knows of a campaign since its rows were lost; None: everything is known."""
    row = stock.row
    if row.is_told_by_its_folder:
        return Doubt(
            "only its folder told of it when the store was made again, so nobody knows what was lost of it",
            f"look at it, then let it go on: reconcile resume {row.name}",
        )
    for stone in world.facts.moved_out.get(row.uid, ()):
        if stone.sequence not in stock.by_sequence and stone.thing not in world.acknowledged_losses:
            return Doubt(
                f"{stone.thing} was moved out of the root, and nobody knows where it lies", ACKNOWLEDGE
            )
    return None


def unread(world: World, stock: Stock) -> Doubt | None:
    """Say which copy stands for a checkpoint and was not read since it was found; None: each was."""
    for one in moved_out(world.facts, stock):
        copies = whole_copies(world.facts, one)
        if all(copy.checked_at == NEVER_READ for copy in copies):
            return Doubt(
                f"{copies[0].path} was found when the store was made again, and was not read since",
                f"have it read: reconcile scrub {stock.row.name}",
                spares_moved=True,
            )
    return None
