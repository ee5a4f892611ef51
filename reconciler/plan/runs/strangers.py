"""Trainers that live though the store does not know them, or calls their runs over: none is doubled."""

from reconciler.observed.records import RunFacts
from reconciler.plan.actions import ReopenRun
from reconciler.plan.draft import Draft
from reconciler.plan.world import LiveRun, World


def plan_strangers(world: World, draft: Draft) -> None:
    """Take up again what was called lost too early; name everyone else."""
    for live in world.live_runs():
        if live.row is world.lost_too_early and live.seen is not None:
            _reopen(world, draft, live, live.seen)
    for campaign, run in world.strangers():
        _name(world, draft, campaign, run)


def _reopen(world: World, draft: Draft, live: LiveRun, seen: RunFacts) -> None:
    draft.add(
        ReopenRun(
            campaign=live.campaign,
            campaign_uid=live.row.campaign_uid,
            generation=live.row.generation,
            attempt=live.row.attempt,
            pid=_pid(seen),
        ),
        subject=f"run/{live.campaign}",
        reason="its trainer lives: it was called lost too early",
        cause=_claim(world, live.campaign, seen),
        source="drift",
    )


def _name(world: World, draft: Draft, campaign: str, run: RunFacts) -> None:
    who = f"(run g{run.generation}-a{run.attempt}, pid {_pid(run)}{' there' if run.unreachable else ''})"
    is_over = world.row_of_run(campaign, run) is not None
    unknown = f"a trainer lives that the store does not know {who}: the store was lost, or is an older copy"
    draft.block(
        f"campaign/{campaign}",
        code="unknown-run",
        message=f"a trainer lives whose run was closed before {who}" if is_over else unknown,
        cause=_claim(world, campaign, run),
        hint=f"let it end, or end it with kill {_pid(run)}: it saves, and training goes on from there",
    )


def _pid(run: RunFacts) -> int:
    return run.process.pid if run.process else 0


def _claim(world: World, campaign: str, run: RunFacts) -> str:
    folder = world.folder_name(campaign)
    return f"campaigns/{folder}/runs/g{run.generation}-a{run.attempt}/process.json"
