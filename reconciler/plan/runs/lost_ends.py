"""Jobs whose end was lost: what had learnt the last of a quest is damaged, so that is learnt again. Pure.

The newest whole checkpoint is what training goes on from. A job that is called completed and ends beyond it
would leave those rows out for ever.
"""

from collections.abc import Iterator

from reconciler.plan.copies.mending import is_being_mended
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept import checkpoint_id
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.queue.jobs import cursor_of, mark
from reconciler.plan.world import World
from state.store.rows import CampaignRow, JobRow, LedgerRow


def plan_lost_ends(world: World, draft: Draft) -> None:
    """Let each completed job wait again that only a lost checkpoint has learnt to its end."""
    for row in world.facts.store.campaigns:
        lost = max(_lost(world, row), key=lambda one: one.step, default=None)
        if lost is None or _may_come_back(world, draft, row):
            continue
        for job in world.facts.jobs_of(row.uid):
            if job.status == "completed" and _ends_beyond(world, row, job, lost.step):
                _plan_again(world, draft, row, job, lost)


def _lost(world: World, row: CampaignRow) -> Iterator[LedgerRow]:
    """Yield what is damaged of the living history, and what is missing once a person acknowledged that."""
    stock = stock_of(world, row)
    for one in stock.in_force.values():
        if one.is_living and not stock.is_there(one):
            is_damaged = one.damage is not None and world.facts.tombstone(one) is None
            if is_damaged or checkpoint_id(row, one, gone=False) in world.acknowledged_losses:
                yield one


def _may_come_back(world: World, draft: Draft, row: CampaignRow) -> bool:
    """Does a trainer live that knows those rows, or is the checkpoint mended, or nobody able to look?"""
    seen = world.seen(row.name)
    is_elsewhere = seen.problem is not None or seen.home != "home" or row.status in ("archived", "deleted")
    return is_elsewhere or world.is_training(row.name) or is_being_mended(draft, row.name)


def _ends_beyond(world: World, row: CampaignRow, job: JobRow, lost_step: int) -> bool:
    """Does it end after the newest whole checkpoint, which has not learnt it, and by what is lost?"""
    newest, cursor = world.newest_checkpoint(row.name), cursor_of(world, row.name, job)
    if newest is None or job.final_step is None:
        return False  # where nothing is left, a launch begins from nothing only if a person wants that
    is_learnt = cursor is not None and cursor.epochs_done >= job.epochs
    return not is_learnt and newest.step < job.final_step <= lost_step


def _plan_again(world: World, draft: Draft, row: CampaignRow, job: JobRow, lost: LedgerRow) -> None:
    cursor, name = cursor_of(world, row.name, job), checkpoint_id(row, lost, gone=False)
    what = "damaged" if lost.damage is not None else "lost"
    mark(
        draft,
        row,
        job,
        status="queued",
        reason=f"{name} is {what}, which alone had learnt the last of it: that is learnt again",
        start_step=cursor.first_step if cursor is not None else None,
        cause=lost.path,
    )
