"""`reconcile checkpoint`: the request stays open until the trainer has saved; then who asked for it is told.

The orders of the running trainer name the newest request (`orders.py`), and its status the one that it has
saved for. So a trainer that dies in between leaves the request open, and the next one is told again.
"""

from collections.abc import Iterator

from reconciler.plan.checkpoints.answers import plan_answer
from reconciler.plan.draft import Draft
from reconciler.plan.world import LiveRun, World
from state.store.rows import RequestRow


def plan_saves(world: World, draft: Draft) -> None:
    """Answer every request for a checkpoint that is there now, or that no trainer can save."""
    lives = {live.campaign: live for live in world.live_runs()}
    for request in open_saves(world):
        live = lives.get(request.campaign)
        if live is None:
            plan_answer(draft, request, f"no trainer runs for it; {_newest(world, request.campaign)}")
        elif _saved_for(live) >= request.id:
            plan_answer(draft, request, _saved(live))


def open_saves(world: World, campaign: str | None = None) -> Iterator[RequestRow]:
    """Yield the open requests for a checkpoint, oldest first: all, or those about a campaign."""
    for request in world.facts.store.requests:
        if request.kind == "checkpoint" and campaign in (None, request.campaign):
            yield request


def save_to_order(world: World, live: LiveRun, ordered: int) -> int:
    """Return the newest request that the trainer is to save for; where there is none, what it was ordered."""
    return max((ordered, *(request.id for request in open_saves(world, live.campaign))))


def _saved_for(live: LiveRun) -> int:
    status = live.seen.status if live.seen is not None else None
    return status.saved_request if status is not None else 0


def _saved(live: LiveRun) -> str:
    status = live.seen.status if live.seen is not None else None
    step = status.last_checkpoint_step if status is not None else None
    return "nothing is learnt yet, so nothing was saved" if step is None else f"checkpoint-{step} is there"


def _newest(world: World, campaign: str) -> str:
    newest = world.newest_checkpoint(campaign)
    return "nothing was saved yet" if newest is None else f"checkpoint-{newest.step} is its newest"
