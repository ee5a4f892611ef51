"""Launches: what should run and does not is started, unless something is in the way."""

from reconciler.plan.actions import StopRun
from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from reconciler.plan.draft import Draft
from reconciler.plan.segments.heading import heading_of
from reconciler.plan.world import World


def plan_launch(world: World, draft: Draft) -> None:
    """Start a trainer for the active campaign when there is something to train and nothing in the way."""
    campaign = world.active
    if campaign is None or campaign not in world.desired.campaigns:
        return
    if _someone_stays_alive(world, draft):
        _name_who_goes_on(world, draft, campaign)
        return
    heading = heading_of(world, draft, campaign)
    resolved = resolve_run(world, campaign)
    if not isinstance(resolved, ResolvedRun):
        from reconciler.plan.runs.blockers import block_launch

        block_launch(world, draft, campaign, resolved)
    elif heading.work:
        from reconciler.plan.runs.starting import start

        start(world, draft, campaign, resolved, heading)


def _someone_stays_alive(world: World, draft: Draft) -> bool:
    # What a frozen one leaves behind, a save or a failure, decides in the next plan what follows.
    stopping = {action.key for action in draft.actions(StopRun) if action.silent_since is None}
    return bool(world.strangers()) or any(live.key not in stopping for live in world.live_runs())


def _name_who_goes_on(world: World, draft: Draft, campaign: str) -> None:
    """Say that another campaign's run is left alone, because a wrong name may be meant for it."""
    for live in world.live_runs() if world.misnamed else ():
        if live.campaign != campaign and world.may_be_misnamed(live.campaign):
            draft.block(
                f"campaign/{campaign}",
                code="still-training",
                message=f"the run of {live.campaign}, which has no spec any more, goes on meanwhile",
                cause=world.where("realm", "active"),
                hint=f"put right the name of {' or '.join(world.misnamed)}: then it goes on, or stops",
            )
