"""A schedule that is over: the rate has come down to its floor while there is more to train. Pure."""

from reconciler.plan.actions import ImportCheckpoint, TakeOverCheckpoint
from reconciler.plan.draft import Draft
from reconciler.plan.queue import jobs
from reconciler.plan.segments.floors import floor_of
from reconciler.plan.world import World
from state.amounts import count

WAYS_ON = (
    "raise schedule_updates, and it rises at once and falls until then; or set lr_scheduler: constant; or "
    "leave it: training goes on at this rate"
)
"""What a person can do about it."""


def plan_schedule(world: World, draft: Draft) -> None:
    """Warn that the active campaign has more to train while its rate has come down; say what can be done."""
    campaign = world.active
    if campaign is None or campaign not in world.desired.campaigns:
        return
    floor = floor_of(world, campaign)
    if floor is None or _is_at_rest(world, campaign) or step_of(world, draft, campaign) < floor.since:
        return
    left = jobs.pending(world, draft, campaign)
    if left:
        rest = f"{count(len(left), 'quest')} left to train"
        draft.warnings.append(
            f"{floor.origin}: the rate of {campaign} has come down: {floor.text}, with {rest}; {WAYS_ON}"
        )


def step_of(world: World, draft: Draft, campaign: str) -> int:
    """Return the updates that a campaign's weights have behind them, or will begin with by this plan."""
    told = [live.seen.status for live in world.live_runs() if live.campaign == campaign and live.seen]
    seen = [status.step for status in told if status is not None]
    newest, row = world.newest_checkpoint(campaign), world.facts.campaign_row(campaign)
    if newest is not None or seen:
        return max(seen + ([newest.step] if newest is not None else []))
    began = [one.step for one in draft.actions(TakeOverCheckpoint) if one.campaign == campaign]
    began += [one.step for one in draft.actions(ImportCheckpoint) if one.campaign == campaign]
    began += [row.starting_step] if row is not None else []
    return next(iter(began), 0)


def _is_at_rest(world: World, campaign: str) -> bool:
    """Is nothing trained there, whatever is left?"""
    is_over = world.desired.campaigns[campaign].spec.state is not None
    return is_over or world.suspension(campaign) is not None or world.goal_reached(campaign) is not None
