"""Starting a trainer: what may be in its way, then the launch with its key, its config and its reason."""

import msgspec

from reconciler.observed.records import RunFacts
from reconciler.plan.actions import (
    ActivateCampaign,
    CloseRun,
    DeactivateCampaign,
    LaunchRun,
    RegisterCampaign,
    RestoreCampaign,
    SetAsideCheckpoint,
    StopRun,
)
from reconciler.plan.campaigns.methods import begins_afresh
from reconciler.plan.campaigns.starts import waits_for_its_start
from reconciler.plan.changes import Source
from reconciler.plan.configs.changed import cause_of, change_since
from reconciler.plan.configs.locked_checkpoints import block_other_checkpoint
from reconciler.plan.configs.resolved import ResolvedRun
from reconciler.plan.copies.mending import is_being_mended
from reconciler.plan.copies.moving_back import is_elsewhere
from reconciler.plan.costs.memory import is_probed_first
from reconciler.plan.costs.room import block_low
from reconciler.plan.costs.too_large import block_too_large
from reconciler.plan.draft import Draft
from reconciler.plan.queue import held_out
from reconciler.plan.queue.brought_in import brought_in, woken
from reconciler.plan.retries.failures import is_charged
from reconciler.plan.retries.retry import judge, policy_of
from reconciler.plan.runs import blockers
from reconciler.plan.runs.devices import choose_device
from reconciler.plan.segments.beginnings import decay_of, waits_for_its_segment
from reconciler.plan.segments.heading import Heading, heading_of_run
from reconciler.plan.world import World
from state.contract.goals import as_order
from state.ids import RunKey
from state.store.in_force import in_force
from state.store.rows import RunRow

_BEFORE_A_LAUNCH = (StopRun, CloseRun, ActivateCampaign, DeactivateCampaign)
"""What of the same plan must have succeeded before a trainer is started."""
_OF_ITS_CAMPAIGN = (SetAsideCheckpoint, RegisterCampaign, RestoreCampaign)
"""The same, where it is about the campaign that is launched."""


def start(world: World, draft: Draft, campaign: str, resolved: ResolvedRun, heading: Heading) -> None:
    """Launch a campaign for which there is something to train, unless something is in the way."""
    if not _is_held_back(world, draft, campaign, resolved, heading):
        _launch(world, draft, campaign, resolved, heading)


def _is_held_back(world: World, draft: Draft, campaign: str, resolved: ResolvedRun, heading: Heading) -> bool:
    return (
        blockers.block_suspended(world, draft, campaign)
        or waits_for_its_start(draft, campaign)
        or is_being_mended(draft, campaign)
        or is_elsewhere(world, campaign)
        or waits_for_its_segment(world, draft, campaign, heading.branch)
        or blockers.block_held(world, draft, campaign)
        or (heading.branch is None and blockers.block_goal_reached(world, draft, campaign))
        or _is_refused_change(world, draft, campaign, resolved)
        or blockers.block_foreign_in_the_way(world, draft, campaign)
        or blockers.block_learning_lost(world, draft, campaign)
        or block_too_large(world, draft, campaign, resolved.config, choose_device(world))
        or _must_wait(world, draft, campaign, resolved.config_hash)
        or _has_no_room(world, draft, campaign, resolved, heading)
    )


def _has_no_room(world: World, draft: Draft, campaign: str, resolved: ResolvedRun, heading: Heading) -> bool:
    from reconciler.plan.costs.preflight import block_full  # only a launch asks for it

    return block_low(world, draft, campaign) or block_full(world, draft, campaign, resolved.config, heading)


def _is_refused_change(world: World, draft: Draft, campaign: str, resolved: ResolvedRun) -> bool:
    if block_other_checkpoint(world, draft, campaign, resolved):
        return True
    last, newest = _last_run(world, campaign), world.newest_checkpoint(campaign)
    if last is None or newest is None or newest.manifest.is_start:
        return False  # nothing was learnt yet that another config could be unfit for
    difference = change_since(in_force(last).config_json, resolved.config)
    if difference.verdict == "new lineage":
        cause = cause_of(world, campaign, resolved, difference)
        blockers.block_new_lineage(draft, campaign, difference, cause)
        return True
    return blockers.block_mid_epoch(world, draft, campaign, difference)


def _must_wait(world: World, draft: Draft, campaign: str, config_hash: str) -> bool:
    """Say when the next try is due, if it is not yet; failures of another config do not count."""
    row = world.facts.campaign_row(campaign)
    if row is None:
        return False
    policy = policy_of(world.desired.realm.spec)
    closing = {action.key: action for action in draft.actions(CloseRun)}
    runs = [
        _as_closed(world, run, closing)
        for run in world.facts.runs_of(row.uid)
        if in_force(run).config_hash == config_hash and not is_charged(run, world.facts.jobs_of(row.uid))
    ]
    verdict = judge(runs, policy, world.forgiven_at(row), world.now)
    if not verdict.ready:
        blockers.block_retry(world, draft, campaign, verdict)
    return not verdict.ready


def _as_closed(world: World, run: RunRow, closing: dict[RunKey, CloseRun]) -> RunRow:
    close = closing.get(RunKey(run.campaign_uid, run.generation, run.attempt))
    if close is None:
        return run
    return msgspec.structs.replace(
        run,
        state="ended",
        end=close.end,
        ended_at=close.ended_at or world.now,
        message=close.message,
        failure_class=close.failure_class,
        last_checkpoint_step=close.last_checkpoint_step,
    )


def _launch(world: World, draft: Draft, campaign: str, resolved: ResolvedRun, heading: Heading) -> None:
    generation, attempt = _next_key(world, campaign, resolved.config_hash)
    newest, branch = heading.stand, heading.branch
    start = _start(world, draft, campaign, heading)
    fresh = begins_afresh(newest.manifest, resolved.config) if newest else None
    change, cause = _what_changed(world, campaign, resolved, generation)
    measured = held_out.take_in(world, draft, campaign)
    held_out.warn_of_learnt_rows(world, draft, campaign, _last_config(world, campaign))
    device = choose_device(world)
    draft.add(
        LaunchRun(
            campaign=campaign,
            campaign_uid=world.uid(campaign),
            generation=generation,
            attempt=attempt,
            config=resolved.config,
            config_hash=resolved.config_hash,
            job_uids=tuple(job.uid for job in heading.work),
            segment=heading.number,
            parent_digest=branch.parent_digest if branch is not None else None,
            decay=decay_of(branch) if branch is not None else None,
            **as_order(heading.goals),
            device=device,
            threads=None,
            model_dir=resolved.model_dir,
            held_out=resolved.held_out,
            optimizer_state="fresh" if fresh else "resume",
            specs_commit=world.specs_commit,
            probe=is_probed_first(world.facts, resolved.config, device),
        ),
        subject=f"run/{campaign}",
        reason=f"{change}{heading.text}, from {start}{fresh or ''}",
        cause=cause or _first_quest(world, heading),
        source=_source(world, draft, campaign, attempt, heading, is_changed=bool(change)),
        needs=(*_before(draft, campaign), *measured, *woken(world, draft, heading.work)),
        needs_one_of=brought_in(world, draft, heading.work),
    )


def _before(draft: Draft, campaign: str) -> tuple[str, ...]:
    return *draft.ids(*_BEFORE_A_LAUNCH), *draft.ids_of((campaign,), *_OF_ITS_CAMPAIGN)


def _source(
    world: World, draft: Draft, campaign: str, attempt: int, heading: Heading, *, is_changed: bool
) -> Source:
    """Return whose doing a launch is: after a run that ended well, or none, of who wants the first quest."""
    last = _last_run(world, campaign)
    ends = [close.end for close in draft.actions(CloseRun) if close.campaign == campaign]
    end = ends[-1] if ends else last.end if last else None
    if attempt > 1 and end not in ("finished", "goal_reached"):
        return "drift"
    is_dropped = heading.work[0].quest_id in world.dropped
    return "request" if is_dropped and not is_changed else "edit"


def _start(world: World, draft: Draft, campaign: str, heading: Heading) -> str:
    """Return where a launch goes on: what a trainer that leaves first will save there is not known yet."""
    leaving = {stop.key for stop in draft.actions(StopRun)}
    stopped = (o for o in world.live_runs() if o.key in leaving and o.campaign == campaign)
    if any(heading_of_run(world, draft, live).number == heading.number for live in stopped):
        return "its next save"
    return f"step {heading.stand.step if heading.stand is not None else 0}"


def _what_changed(
    world: World, campaign: str, resolved: ResolvedRun, generation: int
) -> tuple[str, str | None]:
    """Return what makes this a new generation, in words, and the line that did it."""
    last = _last_run(world, campaign)
    forgotten = _forgotten_run(world, campaign, last)
    if forgotten is not None:
        lies_there = f"the store does not know g{forgotten.generation}-a{forgotten.attempt}, which lies there"
        return f"generation {generation}: {lies_there}; ", None
    if last is None or in_force(last).config_hash == resolved.config_hash:
        return "", None
    difference = change_since(in_force(last).config_json, resolved.config)
    cause = cause_of(world, campaign, resolved, difference)
    return f"generation {generation}: {difference.text_and_class}; ", cause


def _last_config(world: World, campaign: str) -> str | None:
    last = _last_run(world, campaign)
    return in_force(last).config_json if last is not None else None


def _first_quest(world: World, heading: Heading) -> str:
    """Return the line of the quest that comes first."""
    first = heading.work[0].quest_id
    return world.quest_where(first) if first in world.quest_places else world.where("queue")


def _next_key(world: World, campaign: str, config_hash: str) -> tuple[int, int]:
    """Return generation and attempt of the next launch: a new generation for every change of the config.

    Numbers that a run's folder has are used, even where the store (an older copy) does not know of it. A
    generation that a running trainer was told to take up has no launch of its own yet.
    """
    last = _last_run(world, campaign)
    forgotten = _forgotten_run(world, campaign, last)
    if forgotten is not None:
        return max(forgotten.generation, in_force(last).generation if last else 0) + 1, 1
    if last is None:
        return 1, 1
    newest = in_force(last)
    if newest.config_hash != config_hash:
        return newest.generation + 1, 1
    return newest.generation, last.attempt + 1 if newest.generation == last.generation else 1


def _forgotten_run(world: World, campaign: str, last: RunRow | None) -> RunFacts | None:
    """Return the run with the highest number that lies there, if it is beyond all that the store knows."""
    found = max(world.seen(campaign).runs, key=lambda run: (run.generation, run.attempt), default=None)
    known = (last.generation, last.attempt) if last else (0, 0)
    return found if found is not None and (found.generation, found.attempt) > known else None


def _last_run(world: World, campaign: str) -> RunRow | None:
    runs = world.facts.runs_of(world.uid(campaign))
    return max(runs, key=lambda run: (run.generation, run.attempt), default=None)
