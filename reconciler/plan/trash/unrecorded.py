"""What was dropped and cannot be taken back: the ledger has no row of it, or no tombstone names it. Pure.

So it may be with a store that was made again from the folders: of what could not be read there it has no row.
Nothing would be left of such a thing, not even that it was; so it is never deleted for good.
"""

from reconciler.plan.draft import Draft
from reconciler.plan.trash.contents import is_vanished
from reconciler.plan.trash.names import told_of_nowhere
from reconciler.plan.world import World

_MOST_NAMED = 3


def block_unrecorded(world: World, draft: Draft) -> frozenset[int]:
    """Name what lies in the trash and is in no row of the ledger; return it by sequence of its tombstones."""
    lost = _unrecorded(world)
    for stone in world.facts.in_trash if lost else ():
        if stone.sequence in lost:
            draft.block(
                stone.subject,
                code="not-in-the-ledger",
                message="it stays in the trash: the ledger has no row of it, so it cannot be taken back, and "
                "nothing would tell of it any more",
                cause=stone.path,
                hint=f"look at it, and move {world.facts.disk.root}/{stone.path} away",
            )
    return lost


def _unrecorded(world: World) -> frozenset[int]:
    stones = [one for one in world.facts.in_trash if one.state == "trashed" and not one.is_campaign]
    rows = [row for uid in {one.campaign_uid for one in stones} for row in world.facts.ledger_of(uid)]
    sequences, digests = {row.sequence for row in rows}, {row.digest for row in rows}
    lost = (
        one
        for one in stones
        if not (one.sequence in sequences if one.keeps is None else {one.keeps, one.digest} & digests)
    )
    return frozenset(one.sequence for one in lost if not is_vanished(world.facts, one))


def plan_lost_stones(world: World, draft: Draft) -> None:
    """Warn of what was dropped and lost its tombstone: `undelete` does not know it."""
    if names := sorted(told_of_nowhere(world.facts)):
        num_more = len(names) - _MOST_NAMED
        more = f" and {num_more:,} more (reconcile get trash)" if num_more > 0 else ""
        draft.warnings.append(
            f"in the trash, in no tombstone and no ledger any more: {', '.join(names[:_MOST_NAMED])}{more}: "
            "never deleted, and not to be taken back; "
            f"look into {world.facts.disk.root}/trash, and move that away"
        )
