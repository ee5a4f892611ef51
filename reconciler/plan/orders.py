"""Orders: what the running trainer is to do next, handed to it without a restart."""

from reconciler.plan import jobs
from reconciler.plan.actions import EnqueueJob, GiveOrders, StopRun
from reconciler.plan.draft import Draft
from reconciler.plan.world import LiveRun, World


def plan_orders(world: World, draft: Draft) -> None:
    """Hand the running trainer its new list of quests, goal or pause, if they differ from what it has."""
    stopping = {action.key for action in draft.actions(StopRun)}
    for live in world.live_runs():
        if live.seen is None or live.seen.orders is None or live.key in stopping:
            continue
        if live.campaign == world.active:
            _plan_new_orders(world, draft, live)


def _plan_new_orders(world: World, draft: Draft, live: LiveRun) -> None:
    assert live.seen is not None and live.seen.orders is not None  # noqa: PT018, S101 - checked by the caller
    orders = live.seen.orders
    wanted = jobs.pending(world, draft, live.campaign)
    done = jobs.learnt_uids(world, draft, live.campaign)
    has = [(quest.job_uid, quest.epochs) for quest in orders.quests if quest.job_uid not in done]
    goal = world.goal(live.campaign)
    pause = world.hold(live.campaign) == "pause"
    differences = _differences(has, [(job.uid, job.epochs) for job in wanted], orders.goal_updates, goal)
    if pause != orders.pause:
        differences.append("pause" if pause else "go on")
    if not differences:
        return
    draft.add(
        GiveOrders(
            campaign=live.campaign,
            campaign_uid=live.row.campaign_uid,
            generation=live.row.generation,
            attempt=live.row.attempt,
            sequence=orders.sequence + 1,
            job_uids=tuple(job.uid for job in wanted),
            goal_updates=goal,
            pause=pause,
        ),
        subject=f"run/{live.campaign}",
        reason=", ".join(differences),
        cause=world.where("queue"),
        source="edit",
        needs=draft.ids(EnqueueJob),
    )


def _differences(
    has: list[tuple[str, int]], wanted: list[tuple[str, int]], old_goal: int | None, goal: int | None
) -> list[str]:
    found = []
    if has != wanted:
        found.append(
            f"{len(wanted)} quests to do instead of {len(has)}"
            if len(has) != len(wanted)
            else "quests in another order"
        )
    if old_goal != goal:
        found.append(f"goal {goal} updates" if goal else "no goal any more")
    return found
