"""Everything that can stand in the way, each with its name, what it means and the cheapest way out."""

from reconciler.plan.changes import BACKOFF, GIVEN_UP, HELD
from reconciler.plan.configs.changed import Difference
from reconciler.plan.configs.hero_checks import LaunchProblem
from reconciler.plan.draft import Draft
from reconciler.plan.queue import jobs
from reconciler.plan.retries.retry import OF_SETTINGS, Verdict
from reconciler.plan.suspensions import WHOLE, suspended_campaign
from reconciler.plan.world import World
from state.contract.config_classes import KeyChange
from state.ids import checkpoint_step

_DECIDE_ORDER = frozenset({"training.seed", "evaluation.held_out_fraction", "evaluation.held_out_digest"})


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
    """Say that a suspension keeps the campaign from training, if one does.

    That of the realm, or of the queue, is said by itself.
    """
    found, told = world.suspension(campaign), suspended_campaign(world, campaign)
    if found is None or told is None:
        return False
    if found[0] not in WHOLE:
        draft.blocked.append(told)
    return True


def block_held(world: World, draft: Draft, campaign: str) -> bool:
    """Say that a person's pause or stop keeps the campaign from training, if one does."""
    hold = world.hold(campaign)
    if hold is None:
        return False
    draft.block(
        f"campaign/{campaign}",
        code=HELD,
        message=held_text(world, campaign),
        cause=f"reconcile {hold}",
        hint=f"reconcile resume {campaign}",
    )
    return True


def held_text(world: World, campaign: str) -> str:
    """Return who holds a campaign, since when and why; an open request is the newest word."""
    holds = ("pause", "stop", "resume")
    open_requests = [o for o in world.facts.store.requests if o.campaign == campaign and o.kind in holds]
    row = world.facts.campaign_row(campaign)
    done = "paused" if world.hold(campaign) == "pause" else "stopped"
    if open_requests:
        asked = open_requests[-1]
        return f"{done} by {asked.asked_by} at {asked.asked_at}: {asked.why}"
    return f"{done} by {row.hold_by} at {row.hold_at}: {row.hold_why}" if row and row.hold else done


def block_goal_reached(world: World, draft: Draft, campaign: str) -> bool:
    """Say that the campaign has reached its goal while quests are waiting, if it has."""
    reached = world.goal_reached(campaign)
    if reached is None:
        return False
    draft.block(
        f"campaign/{campaign}",
        code="goal-reached",
        message=f"its goal is reached: {reached}; quests are waiting",
        cause=world.where(f"campaign/{campaign}", "goal"),
        hint="raise the goal, or remove it",
    )
    return True


def block_new_lineage(draft: Draft, campaign: str, difference: Difference, cause: str) -> None:
    """Say that the specs now describe another model, or other adapters, than this campaign has trained."""
    hero = campaign.partition("/")[0]
    is_of_method = (difference.decisive or "").startswith("training.")
    what = "hold other adapters, or none" if is_of_method else "are of another model"
    draft.block(
        f"campaign/{campaign}",
        code="new-lineage",
        message=f"{difference.text}: its checkpoints {what}",
        cause=cause,
        hint=f"undo the change, or write a new campaign of {hero}; this one keeps its checkpoints",
    )


def block_retry(world: World, draft: Draft, campaign: str, verdict: Verdict) -> None:
    """Say that a campaign whose runs failed waits, or has been given up."""
    last = verdict.last
    said = (last.message or last.end or "failed") if last else "failed"
    log = f"see reconcile logs {campaign}"
    where = (
        f"campaigns/{world.folder_name(campaign)}/runs/g{last.generation}-a{last.attempt}/"
        if last
        else f"campaign/{campaign}"
    )
    if verdict.failure_class == OF_SETTINGS:
        _block_settings(world, draft, campaign, said)
        return
    if verdict.given_up:
        draft.block(
            f"campaign/{campaign}",
            code=GIVEN_UP,
            message=f"{_in_a_row(verdict)} failed without progress; the last: {said}",
            cause=where,
            hint=f"{log}; then reconcile resume {campaign}",
        )
        return
    draft.block(
        f"campaign/{campaign}",
        code=BACKOFF,
        message=f"tries again at {verdict.not_before} after failure {verdict.failures}: {said}",
        cause=where,
        hint=f"{log}; to try at once: reconcile resume {campaign}",
        until=verdict.not_before,
    )


def _block_settings(world: World, draft: Draft, campaign: str, said: str) -> None:
    draft.block(
        f"campaign/{campaign}",
        code=GIVEN_UP,
        message=f"not launched again with these settings: {said}",
        cause=world.where(f"campaign/{campaign}"),
        hint=f"change them here, or in what it inherits (reconcile explain {campaign}); where the model was "
        f"mended: reconcile resume {campaign}",
    )


def _in_a_row(verdict: Verdict) -> str:
    if verdict.failure_class is None:
        return f"{verdict.failures} runs in a row"
    return f"{verdict.failures} runs ({verdict.failure_class}, which has a budget of its own)"


def block_mid_epoch(world: World, draft: Draft, campaign: str, difference: Difference) -> bool:
    """Say that a change would reorder the rows of an epoch that has begun, if it would.

    The order of an epoch depends on the seed and on what is held out: going on in another order would train
    some rows twice and leave others out.
    """
    newest = world.newest_checkpoint(campaign)
    keys = [change.key for change in difference.changes if _reorders(change)]
    begun = [cursor for cursor in newest.manifest.cursor if cursor.rows_taken] if newest else []
    if not keys or not begun:
        return False
    draft.block(
        f"campaign/{campaign}",
        code="mid-epoch",
        message=f"{difference.text} changes the order of an epoch that quest {begun[0].quest_id} is in",
        cause=world.where(f"campaign/{campaign}"),
        hint="undo the change until the quest is done",
    )
    return True


def _reorders(change: KeyChange) -> bool:
    """Does the order of an epoch depend on this key?

    Configs of an older version do not name their held-out file: that one is named now is no change by itself.
    """
    is_only_named_now = change.key == "evaluation.held_out_digest" and change.old is None
    return change.key in _DECIDE_ORDER and not is_only_named_now


def block_foreign_in_the_way(world: World, draft: Draft, campaign: str) -> bool:
    """Say that a folder which is no complete checkpoint lies where training would save, if one does."""
    newest = world.newest_checkpoint(campaign)
    for foreign in world.seen(campaign).checkpoints.foreign:
        step = checkpoint_step(foreign.name)
        if step is not None and step > (newest.step if newest else 0):
            draft.block(
                f"campaign/{campaign}",
                code="foreign-in-the-way",
                message=f"{foreign.path} lies where training would save: {foreign.reason}",
                cause=world.below_root(foreign.path),
                hint="move that folder away; nothing of it is ever deleted here",
            )
            return True
    return False


def block_learning_lost(world: World, draft: Draft, campaign: str) -> bool:
    """Say that what was learnt is gone: every checkpoint, or one that knew more than the newest one does."""
    newest = world.newest_checkpoint(campaign)
    if newest is None:
        return _block_all_lost(world, draft, campaign)
    learnt = jobs.learnt_uids(world, draft, campaign)
    for job in world.facts.jobs_of(world.uid(campaign)):
        cursor = jobs.cursor_of(world, campaign, job)
        if job.uid in learnt and (cursor is None or cursor.epochs_done < job.epochs):
            draft.block(
                f"campaign/{campaign}",
                code="learning-lost",
                message=f"quest {job.quest_id} is completed, but checkpoint-{newest.step}, where training "
                "would go on, has not learnt all of it: a later checkpoint is gone",
                cause=world.below_root(newest.path),
                hint="restore the later checkpoint's folder; or, if it is lost, list it under "
                "acknowledged_losses in specs/retention.yaml: then what it had learnt is learnt again",
            )
            return True
    return False


def _block_all_lost(world: World, draft: Draft, campaign: str) -> bool:
    """Say that no checkpoint is left of a campaign that had some: it must not begin from nothing unasked.

    Where none can be seen, nothing is known to be lost; `checkpoints` has said so.
    """
    saved = [row for row in world.facts.ledger_of(world.uid(campaign)) if row.healthy and row.is_living]
    if not saved:
        return False
    if world.seen(campaign).checkpoints.problem is not None:
        return True
    newest = max(saved, key=lambda row: row.sequence)
    stones = [world.facts.tombstone(row) for row in saved]
    trashed = [stone.thing for stone in stones if stone is not None and stone.state == "trashed"]
    back = f"take it back: reconcile undelete {trashed[-1]}" if trashed else "put a copy of it back there"
    draft.block(
        f"campaign/{campaign}",
        code="learning-lost",
        message=f"it has saved checkpoints, the newest at step {newest.step}, and none of them lies there "
        "whole: training would begin from nothing",
        cause=newest.path,
        hint=f"{back}; or begin from nothing on purpose: reconcile start-over {campaign.partition('/')[0]}",
    )
    return True
