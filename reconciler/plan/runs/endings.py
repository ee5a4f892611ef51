"""Runs: what has ended is closed, what should not go on stops."""

from reconciler.observed.records import FoundCheckpoint, RunFacts
from reconciler.plan.actions import CloseRun, ConfirmRun, StopRun
from reconciler.plan.changes import Risk
from reconciler.plan.configs.changed import cause_of, change_since
from reconciler.plan.configs.live import is_live
from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from reconciler.plan.draft import Draft
from reconciler.plan.runs import blockers
from reconciler.plan.runs.silence import folder_of, frozen_since, name_silent
from reconciler.plan.runs.strangers import plan_strangers
from reconciler.plan.segments.beginnings import release_due
from reconciler.plan.segments.releases import is_made, newest_of, open_branch
from reconciler.plan.segments.rollbacks import Rollback, rollback_of
from reconciler.plan.segments.rolled_back import told_after_rollback
from reconciler.plan.world import LiveRun, World
from state.contract.process import REVOKED_COOKIE
from state.ids import RunKey
from state.store.in_force import in_force
from state.store.rows import CampaignRow, RunRow

GENTLE_STOP_SECONDS = 60.0
LEFT_NO_WORD = "the process is gone and left no word: killed, or out of memory?"


def plan_ended_runs(world: World, draft: Draft) -> None:
    """Close every run whose process is gone, confirm what has begun; the unknown and the silent, too."""
    for row in world.facts.store.runs:
        if row.state != "ended":
            _plan_open_run(world, draft, row)
    plan_strangers(world, draft)
    name_silent(world, draft)


def _plan_open_run(world: World, draft: Draft, row: RunRow) -> None:
    campaign = world.name(row.campaign_uid)
    key = RunKey(row.campaign_uid, row.generation, row.attempt)
    seen = world.seen(campaign).run(key)
    if seen is not None and seen.is_of(row.cookie):
        if row.state == "launching" and seen.process is not None:
            _confirm(draft, campaign, row, seen.process.pid)
    elif key.folder in world.seen(campaign).starting:
        return  # its process lives: it will claim its run, or its claim cannot be read
    elif seen is not None and seen.claimed:
        revoked = seen.process is not None and seen.process.cookie == REVOKED_COOKIE
        _close(world, draft, campaign, row, seen, claimed=not revoked)
    else:
        _close(world, draft, campaign, row, None, claimed=row.state == "running")


def _confirm(draft: Draft, campaign: str, row: RunRow, pid: int) -> None:
    draft.add(
        ConfirmRun(
            campaign=campaign,
            campaign_uid=row.campaign_uid,
            generation=row.generation,
            attempt=row.attempt,
            pid=pid,
        ),
        subject=f"run/{campaign}",
        reason="the trainer claimed its run",
        cause=f"process {pid}",
        source="progress",
    )


def _close(
    world: World,
    draft: Draft,
    campaign: str,
    row: RunRow,
    seen: RunFacts | None,
    *,
    claimed: bool,
) -> None:
    left, unread = (seen.exit, seen.problems) if seen is not None else (None, ())
    newest = _newest_saved(world, campaign, row)
    from_run = newest is not None and newest.generation == row.generation
    saved = newest.step if newest is not None and from_run else None
    lost = LEFT_NO_WORD if claimed else "no trainer ever claimed it"
    lost = f"the process is gone, and what it left cannot be read: {unread[0]}" if unread else lost
    draft.add(
        CloseRun(
            campaign=campaign,
            campaign_uid=row.campaign_uid,
            generation=row.generation,
            attempt=row.attempt,
            end=left.reason if left else ("lost" if claimed else "never_started"),
            failure_class=left.failure_class if left else None,
            message=left.message if left else lost,
            quest_id=left.quest_id if left else None,
            final_step=left.step if left else saved,
            last_checkpoint_step=saved,  # what lies there, whatever its exit file says
            ended_at=left.exited_at if left else None,
        ),
        subject=f"run/{campaign}",
        reason=left.message if left else lost,
        cause=_seen_in(
            world.folder_name(campaign),
            row,
            seen.exit_file if seen and left else "process.json" if claimed else "",
        ),
        source="progress" if left and left.reason != "failed" else "drift",
    )


def _newest_saved(world: World, campaign: str, row: RunRow) -> FoundCheckpoint | None:
    """Return the newest checkpoint of the segment that a run trained."""
    segments = world.facts.segments_of(row.campaign_uid)
    branch = next((o for o in segments if o.number == row.segment and o.kind == "decay"), None)
    return newest_of(world, branch) if branch is not None else world.newest_checkpoint(campaign)


def _seen_in(folder_name: str, row: RunRow, file: str) -> str:
    """Return a run's file, or its folder, as seen from the root."""
    return f"campaigns/{folder_name}/runs/g{row.generation}-a{row.attempt}/{file}"


def plan_stops(world: World, draft: Draft) -> None:
    """Stop every live run that the specs, or a person, no longer want to go on as it is."""
    for live in world.live_runs():
        found = _why_stop(world, draft, live)
        if found is not None:
            why, cause = found
            _stop(draft, live, why, cause)
        elif (said_at := frozen_since(world, live)) is not None:
            why = f"frozen: it has said nothing since {said_at}, and its own watchdog did not end it"
            _stop(draft, live, why, f"{folder_of(live)}/status.json", silent_since=said_at)


def _stop(draft: Draft, live: LiveRun, why: str, cause: str, *, silent_since: str | None = None) -> None:
    draft.add(
        StopRun(
            campaign=live.campaign,
            campaign_uid=live.row.campaign_uid,
            generation=live.row.generation,
            attempt=live.row.attempt,
            why=why,
            grace_seconds=_grace_seconds(live, is_frozen=silent_since is not None),
            silent_since=silent_since,
        ),
        subject=f"run/{live.campaign}",
        reason=why,
        cause=cause,
        source="edit" if silent_since is None else "drift",
        risk=Risk.INTERRUPTS,
    )


def _grace_seconds(live: LiveRun, *, is_frozen: bool) -> float:
    """Return how long it may take to leave; one that is woken up may be at the beginning of an update."""
    status = live.seen.status if live.seen else None
    save_seconds = (status.save_seconds if status else None) or 0.0
    update_seconds = (status.update_seconds if status and is_frozen else None) or 0.0
    return GENTLE_STOP_SECONDS + 2 * round(save_seconds, 3) + 2 * round(update_seconds, 3)


def _why_stop(world: World, draft: Draft, live: LiveRun) -> tuple[str, str] | None:
    source = world.desired.campaigns.get(live.campaign)
    if source is not None and source.spec.state is not None:
        return f"its spec says state: {source.spec.state}", source.where("state")
    if live.campaign != world.active and not world.stays_as_it_is(live.campaign):
        return "not active any more", world.where("realm", "active")
    suspension = world.suspension(live.campaign)
    if suspension is not None:
        thing, suspend = suspension
        return f"{thing} is {suspend.words}", world.where(thing, "suspend")
    if world.hold(live.campaign) == "stop":
        return blockers.held_text(world, live.campaign), "reconcile stop"
    if world.stays_as_it_is(live.campaign):
        return None  # what would be launched in its place is not known
    row = world.facts.campaign_row(live.campaign)
    found = _why_elsewhere(world, draft, live, row) if row is not None else None
    return found or _why_restart(world, draft, live)


def _why_elsewhere(world: World, draft: Draft, live: LiveRun, row: CampaignRow) -> tuple[str, str] | None:
    """Return why a run trains another segment than what is wanted now, if it does."""
    back = rollback_of(world, row)
    if isinstance(back, Rollback) and back.is_asked:
        after = told_after_rollback(world, row, back.parent)
        return (
            f"it goes back to step {back.parent.step if back.parent else 0}: {back.reason}{after}",
            back.cause,
        )
    if live.row.segment == row.segment:
        due = release_due(world, draft, row) if world.hold(row.name) is None else None
        return (due, world.where(f"campaign/{row.name}", "releases")) if due is not None else None
    branch = next((o for o in world.facts.segments_of(row.uid) if o.number == live.row.segment), None)
    wanted = open_branch(world, row)
    is_over = branch is None or is_made(world, branch) or (wanted and wanted.number == branch.number)
    return None if is_over else ("its release is not asked for any more", world.where(f"campaign/{row.name}"))


def _why_restart(world: World, draft: Draft, live: LiveRun) -> tuple[str, str] | None:
    resolved = resolve_run(world, live.campaign)
    if not isinstance(resolved, ResolvedRun):
        blockers.block_launch(world, draft, live.campaign, resolved)
        return None  # what blocks a launch does not end a run that goes well
    now = in_force(live.row)
    if resolved.config_hash == now.config_hash:
        return None
    difference = change_since(now.config_json, resolved.config)
    if is_live(difference, live):
        return None  # its orders carry it: see plan_orders
    if difference.verdict == "new lineage":
        cause = cause_of(world, live.campaign, resolved, difference)
        blockers.block_new_lineage(draft, live.campaign, difference, cause)
        return None
    if blockers.block_mid_epoch(world, draft, live.campaign, difference):
        return None
    why = difference.text_and_class
    if difference.verdict in ("no-op", "live"):
        why += "; its trainer, of an older version, takes up nothing while it runs"
    return why, cause_of(world, live.campaign, resolved, difference)
