"""Everything that can stand in the way, each with its name, what it means and the cheapest way out."""

from reconciler.plan.configs import Difference
from reconciler.plan.draft import Draft
from reconciler.plan.hero_checks import LaunchProblem
from reconciler.plan.retry import Verdict
from reconciler.plan.world import World


def block_launch(world: World, draft: Draft, campaign: str, problems: tuple[LaunchProblem, ...]) -> None:
    """Name everything that keeps a campaign from being launched."""
    del world
    for problem in problems:
        draft.block(
            f"campaign/{campaign}",
            code=problem.code,
            message=problem.message,
            cause=problem.cause,
            hint=problem.hint,
        )


def block_suspended(world: World, draft: Draft, campaign: str) -> bool:
    """Say that a suspension keeps the campaign from training, if one does."""
    found = world.suspension(campaign)
    if found is None:
        return False
    thing, suspend = found
    until = f" until {suspend.until}" if suspend.until else ""
    draft.block(
        f"campaign/{campaign}",
        code="suspended",
        message=f"{thing} is suspended{until}: {suspend.reason}",
        cause=world.where(thing, "suspend"),
        hint="remove the suspend section when it may go on",
    )
    return True


def block_held(world: World, draft: Draft, campaign: str) -> bool:
    """Say that a person's pause or stop keeps the campaign from training, if one does."""
    hold = world.hold(campaign)
    if hold is None:
        return False
    row = world.facts.campaign_row(campaign)
    who = f" by {row.hold_by} at {row.hold_at}: {row.hold_why}" if row and row.hold else ""
    draft.block(
        f"campaign/{campaign}",
        code="held",
        message=f"{'paused' if hold == 'pause' else 'stopped'}{who}",
        cause="request",
        hint=f"reconcile resume {campaign}",
    )
    return True


def block_goal_reached(world: World, draft: Draft, campaign: str, goal: int | None) -> bool:
    """Say that the campaign has reached its goal while quests are waiting, if it has."""
    newest = world.newest_checkpoint(campaign)
    if goal is None or newest is None or newest.step < goal:
        return False
    draft.block(
        f"campaign/{campaign}",
        code="goal-reached",
        message=f"its goal of {goal} updates is reached at step {newest.step}; quests are waiting",
        cause=world.where(f"campaign/{campaign}", "goal", "updates"),
        hint="raise goal.updates, or remove the goal",
    )
    return True


def block_new_lineage(world: World, draft: Draft, campaign: str, difference: Difference) -> None:
    """Say that the specs now describe another model than the one that this campaign has trained."""
    hero = campaign.partition("/")[0]
    draft.block(
        f"campaign/{campaign}",
        code="new-lineage",
        message=f"{difference.text}: its checkpoints are of another model",
        cause=world.where(f"hero/{hero}", "model"),
        hint=f"undo the change, or write a new campaign of {hero}; this one keeps its checkpoints",
    )


def block_retry(world: World, draft: Draft, campaign: str, verdict: Verdict) -> None:
    """Say that a campaign whose runs failed waits, or has been given up."""
    del world
    last = verdict.last
    said = (last.message or last.end or "failed") if last else "failed"
    log = f"see reconcile logs {campaign}"
    if verdict.given_up:
        draft.block(
            f"campaign/{campaign}",
            code="given-up",
            message=f"{verdict.failures} runs in a row failed without progress; the last: {said}",
            cause=f"run/{campaign}",
            hint=f"{log}; then reconcile resume {campaign}",
        )
        return
    draft.block(
        f"campaign/{campaign}",
        code="backoff",
        message=f"tries again at {verdict.not_before} after failure {verdict.failures}: {said}",
        cause=f"run/{campaign}",
        hint=f"{log}; to try at once: reconcile resume {campaign}",
    )
