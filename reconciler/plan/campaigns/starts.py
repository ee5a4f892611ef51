"""Where a campaign begins: with the base model, or with a checkpoint of another campaign, taken over once.

`@best` (the lowest loss on the newest held-out rows) and `@latest` are resolved when the campaign is made;
what was resolved is kept in its row, and a spec that says something else later describes another campaign.
"""

from collections.abc import Mapping

from reconciler.plan.actions import (
    ImportCheckpoint,
    RegisterCampaign,
    RestoreCampaign,
    RestoreCheckpoint,
    TakeOverCheckpoint,
)
from reconciler.plan.campaigns.imports import plan_import
from reconciler.plan.campaigns.methods import adapters_misfit, adapters_on_a_checkpoint
from reconciler.plan.campaigns.starting_checkpoints import (
    CODE,
    NoStart,
    Start,
    block_start,
    find_start,
    resolved_to_begin,
)
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.contract.locked import first_unlike, locked_values
from state.contract.manifest import Origin
from state.store.rows import CampaignRow

_REGISTERED = (RegisterCampaign, RestoreCampaign)
"""What gives a campaign its folder."""
_FRESH = ", which keeps its weights only: the optimizer starts fresh"


def plan_starts(world: World, draft: Draft) -> None:
    """Take over the checkpoint that a new campaign begins with, or say by name why not."""
    for name, source in world.desired.campaigns.items():
        wanted, row = source.spec.starting_checkpoint, world.facts.campaign_row(name)
        if source.spec.state is not None or world.is_deleted(name):
            continue
        if row is not None and _has_begun(world, row):
            _block_other_start(draft, world, row, wanted, began_with=row.starting_checkpoint)
            continue
        copy = _copy(world, name)
        if row is not None and copy is not None and wanted is None:
            _block_other_start(draft, world, row, wanted, began_with=f"{copy.campaign}@{copy.step}")
        elif copy is not None and wanted is not None:
            _take_over(draft, world, name, wanted, copy)
        elif wanted is not None:
            _plan_start(world, draft, name, wanted)


def waits_for_its_start(draft: Draft, campaign: str) -> bool:
    """Is the campaign's starting checkpoint taken over by this plan, or not to be had?"""
    if any(action.campaign == campaign for action in draft.actions(TakeOverCheckpoint)):
        return True
    if any(action.campaign == campaign for action in draft.actions(ImportCheckpoint)):
        return True
    subject = f"campaign/{campaign}"
    return any(item.subject == subject and item.code.startswith(CODE) for item in draft.blocked)


def named_starts(world: World) -> Mapping[str, str]:
    """Return the checkpoints that campaigns began with, or are to begin with → why each must stay."""
    found = {}
    for begun in world.facts.store.campaigns:
        if begun.starting_checkpoint is not None and begun.status != "deleted":
            found[begun.starting_checkpoint] = f"starting point of {begun.name}"
    for name, source in world.desired.campaigns.items():
        row = world.facts.campaign_row(name)
        if source.spec.state == "deleted":
            continue
        wanted = source.spec.starting_checkpoint
        if wanted is not None and not wanted.startswith("/") and (row is None or row.starting_from is None):
            start = find_start(world, wanted)
            if isinstance(start, Start):
                found[start.name] = f"{name} is to begin with it"
    return found


def _has_begun(world: World, row: CampaignRow) -> bool:
    """Has it its start, written down as such, or was it trained without one?"""
    return row.starting_from is not None or _has_trained(world, row)


def has_no_start_yet(world: World, name: str) -> bool:
    """Does what its spec wants it to begin with lie nowhere in it, though it could still be taken over?"""
    row = world.facts.campaign_row(name)
    return (row is None or not _has_begun(world, row)) and _copy(world, name) is None


def _has_trained(world: World, row: CampaignRow) -> bool:
    """Has it trained? A starting checkpoint, whose generation is 0, was only taken over."""
    saved, recorded = world.seen(row.name).checkpoints.complete, world.facts.ledger_of(row.uid)
    generations = [one.generation for one in recorded] + [one.generation for one in saved]
    return bool(world.facts.runs_of(row.uid)) or any(generations)


def _copy(world: World, name: str) -> Origin | None:
    """Return where the starting checkpoint is from that lies there, written down already or not."""
    found = (one.origin for one in world.seen(name).checkpoints.complete)
    return next((origin for origin in found if origin is not None), None)


def _block_other_start(
    draft: Draft, world: World, row: CampaignRow, wanted: str | None, *, began_with: str | None
) -> None:
    """Say that the spec wants another start than the one that the campaign had, if it does.

    One that is named by a former name of its campaign is the same; what the campaign had has the name of now.
    """
    known = (row.starting_from, row.starting_checkpoint)
    if wanted in known and (wanted or not began_with):
        return
    if wanted is not None and world.named_now(wanted) in known:
        return
    hero = row.name.partition("/")[0]
    draft.block(
        f"campaign/{row.name}",
        code=f"{CODE}changed",
        message=f"it began with {began_with or 'the base model'}; its spec now says "
        f"{wanted or 'the base model'}: that is another campaign",
        cause=world.where(f"campaign/{row.name}", "starting_checkpoint"),
        hint=f"undo the change, or write a new campaign: reconcile new campaign {hero}",
    )


def _plan_start(world: World, draft: Draft, name: str, wanted: str) -> None:
    if wanted.startswith("/"):
        plan_import(world, draft, name, wanted, needs=draft.ids_of((name,), *_REGISTERED))
        return
    start = find_start(world, wanted)
    problem = start if isinstance(start, NoStart) else _misfit(world, name, start)
    if problem is not None:
        block_start(world, draft, name, wanted, _on_its_way(world, draft, wanted) or problem)
        return
    assert isinstance(start, Start)  # noqa: S101 - else there is a problem
    _take_over(draft, world, name, wanted, start.origin)
    _warn_beyond_goal(draft, world, name, start.origin.step)


def _on_its_way(world: World, draft: Draft, wanted: str) -> NoStart | None:
    """Return that this very plan takes back what a campaign is to begin with; None: it does not."""
    known = world.named_now(wanted)
    back = {action.checkpoint for action in draft.actions(RestoreCheckpoint)} & {
        known,
        known.partition("@")[0],
    }
    if not back:
        return None
    message = f"this plan takes {back.pop()} back out of the trash first"
    return NoStart("in-trash", message, "nothing: apply begins it once that is back")


def _warn_beyond_goal(draft: Draft, world: World, name: str, step: int) -> None:
    goal = world.goals(name).updates
    if goal is not None and step >= goal:
        where = world.where(f"campaign/{name}", "goal")
        draft.warnings.append(
            f"{where}: {name} begins at step {step:,} and its goal is {goal:,} updates in all: "
            "it would train nothing"
        )


def _take_over(draft: Draft, world: World, name: str, wanted: str, origin: Origin) -> None:
    rows = (one for one in world.facts.ledger_of(origin.campaign_uid) if one.digest == origin.digest)
    source = next(rows, None)
    fresh = source is not None and not source.has_optimizer
    draft.add(
        TakeOverCheckpoint(
            campaign=name,
            campaign_uid=world.uid(name),
            wanted=wanted,
            source=origin.campaign,
            source_uid=origin.campaign_uid,
            segment=source.segment if source is not None and not source.is_living else None,
            step=origin.step,
            digest=origin.digest,
        ),
        subject=f"campaign/{name}",
        reason=f"it begins with {wanted}{_FRESH if fresh else ''}",
        cause=world.where(f"campaign/{name}", "starting_checkpoint"),
        source="edit",
        needs=draft.ids_of((name, origin.campaign), *_REGISTERED),
    )


def _misfit(world: World, name: str, start: Start) -> NoStart | None:
    """Return why a checkpoint's weights are not for this campaign's hero."""
    resolved = resolved_to_begin(world, name)
    if isinstance(resolved, NoStart):
        return resolved
    manifest = start.found.manifest
    saved = manifest.locked
    if problem := adapters_on_a_checkpoint(manifest) or adapters_misfit(manifest, resolved.config):
        return problem
    if saved is None:
        return None  # saved by an older version: the trainer compares before it begins
    unlike = first_unlike(saved, locked_values(resolved.config), is_start=True)
    if unlike is None:
        return None
    hero = name.partition("/")[0]
    return NoStart(
        "other-architecture",
        f"its {unlike.key} is {unlike.found}, that of hero {hero} is {unlike.asked}",
        f"begin with a checkpoint whose model is that of {hero}",
    )
