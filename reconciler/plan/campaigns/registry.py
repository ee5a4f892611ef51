"""Campaigns: each spec gets its row and folder; one of them is active in store, pointer and link."""

from typing import Any

import msgspec

from reconciler.desired.campaign import Campaign
from reconciler.desired.training import TrainingSettings
from reconciler.plan.actions import (
    ActivateCampaign,
    DeactivateCampaign,
    RegisterCampaign,
    RestoreCampaign,
    StopRun,
)
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import count, size
from state.cards import CampaignCard, Milestone, decode_card
from state.contract.goals import Goals
from state.store.rows import CampaignRow


def plan_campaigns(world: World, draft: Draft) -> None:
    """Register every campaign that has a spec and no row; name those that have a row and no spec."""
    for name, source in world.desired.campaigns.items():
        draft.settle(f"campaign/{name}")
        if world.facts.campaign_row(name) is None and source.spec.state != "deleted":
            _register(world, draft, name, source.spec)
    known = world.desired.campaigns.keys() | world.misnamed.keys()
    for row in world.facts.store.campaigns:
        if row.name not in known and row.status != "deleted":
            text = f"campaign/{row.name} has no spec any more; everything of it stays as it is"
            draft.warnings.append(f"{text}{_holds(world, row)}{_renamed(world, draft, row.name)}")


def _holds(world: World, row: CampaignRow) -> str:
    complete = world.seen(row.name).all_complete
    held = sum(found.size_bytes for found in complete)
    return f" ({count(len(complete), 'checkpoint')}, {size(held)})" if complete else ""


def _renamed(world: World, draft: Draft, was: str) -> str:
    """Return what to do if one of those that begin now, and do not say what they were, is meant to be it."""
    specs = world.desired.campaigns
    names = [action.campaign for action in draft.actions(RegisterCampaign)]
    begun = [name for name in names if specs[name].spec.was is None]
    return f"; if {' or '.join(begun)} is it, write there before it begins: was: {was}" if begun else ""


def _register(world: World, draft: Draft, name: str, spec: Campaign) -> None:
    draft.add(
        RegisterCampaign(campaign=name, campaign_uid=world.uid(name), card=card_of(spec)),
        subject=f"campaign/{name}",
        reason="new in the specs",
        cause=world.where(f"campaign/{name}"),
        source="edit",
    )


def card_of(spec: Campaign, row: CampaignRow | None = None) -> CampaignCard:
    """Return what campaign.json repeats from a spec; what it does not say of milestones stays."""
    overrides = _as_json(spec.config_overrides) if spec.config_overrides else {}
    return CampaignCard(
        name=spec.name or spec.id,
        description=spec.description or "",
        skills_focus=spec.skills_focus,
        config_overrides={key: value for key, value in overrides.items() if value is not None},
        goal=spec.goal.goals if spec.goal else Goals(),
        milestones=_milestones(spec, row),
    )


def _as_json(settings: TrainingSettings) -> dict[str, Any]:
    """Return settings as a file gives them back, so that the two compare: a tuple is a list there."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
    return found


def _milestones(spec: Campaign, row: CampaignRow | None) -> tuple[Milestone, ...] | None:
    if spec.milestones is None:
        before = decode_card(row.card_json) if row is not None else None
        return before.milestones if before is not None else None
    return tuple(Milestone(step=one.step, note=one.note or "", date=one.date) for one in spec.milestones)


def _stays_archived(world: World, draft: Draft, campaign: str) -> bool:
    row = world.facts.campaign_row(campaign)
    is_archived = row is not None and row.status == "archived"
    return is_archived and not draft.ids_of((campaign,), RestoreCampaign)


def plan_activation(world: World, draft: Draft) -> None:
    """Make the active campaign the one that the specs name."""
    store = world.facts.store
    was = world.name(store.active_uid) if store.active_uid else None
    if world.active == was or world.is_active_misnamed:
        return
    if world.active is not None and _stays_archived(world, draft, world.active):
        return  # why it is not restored was named
    stops = draft.ids(StopRun)
    cause = world.where("realm", "active")
    if world.active is not None:
        draft.add(
            ActivateCampaign(campaign=world.active, campaign_uid=world.uid(world.active), previous=was),
            subject=f"campaign/{world.active}",
            reason=f"was {was}" if was else "no campaign was active",
            cause=cause,
            source="edit",
            needs=(*stops, *draft.ids_of((world.active, was), RegisterCampaign, RestoreCampaign)),
        )
    elif was is not None:
        draft.add(
            DeactivateCampaign(campaign=was, campaign_uid=world.uid(was)),
            subject=f"campaign/{was}",
            reason="the specs name no active campaign",
            cause=cause,
            source="edit",
            needs=stops,
        )
