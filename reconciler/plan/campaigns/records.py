"""Derived files: pointer, link and campaign.json say again what the store and the specs say."""

from collections.abc import Mapping
from typing import Any

from reconciler.desired.campaign import Campaign
from reconciler.observed.records import IS_EMPTY, DerivedFile
from reconciler.plan import actions
from reconciler.plan.campaigns.registry import card_of
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.cards import encode_card
from state.formats import pointer_record
from state.store.rows import CampaignRow

_WRITES_RECORD = (
    actions.RegisterCampaign,
    actions.RenameCampaign,
    actions.ActivateCampaign,
    actions.DeactivateCampaign,
    actions.RecordCheckpoint,
    actions.BeginSegment,
    actions.LaunchRun,
    actions.ArchiveCampaign,
    actions.TakeOverCheckpoint,
    actions.ImportCheckpoint,
    actions.RestoreCampaign,
    actions.DeleteCampaign,
)
_STAYS_OPEN = (
    actions.RenameCampaign,
    actions.ActivateCampaign,
    actions.DeactivateCampaign,
    actions.RecordCheckpoint,
    actions.BeginSegment,
    actions.LaunchRun,
)
"""Of those: what writes the file by the spec of before, and moves no folder."""


def plan_records(world: World, draft: Draft) -> None:
    """Rewrite the derived files that differ from what they should say."""
    _plan_pointer(world, draft)
    touched, closed = _campaigns_written(draft), _campaigns_written(draft, besides=_STAYS_OPEN)
    for row in world.facts.store.campaigns:
        source = world.desired.campaigns.get(row.name)
        is_open = source is not None and row.name not in closed and row.name not in world.right
        is_home = row.status != "deleted" and world.seen(row.name).home == "home"
        if source is not None and is_open and is_home:
            _plan_record(world, draft, row, source.spec, is_touched=row.name in touched)


def _campaigns_written(draft: Draft, besides: tuple[type[actions.Action], ...] = ()) -> set[str]:
    """Return the campaigns whose record an earlier change of this plan writes anyway, besides by these."""
    names = set()
    for change in draft.changes:
        if isinstance(change.action, besides):
            continue
        if isinstance(change.action, _WRITES_RECORD):
            names.add(change.action.campaign)
        if isinstance(change.action, actions.ActivateCampaign) and change.action.previous:
            names.add(change.action.previous)
    return names


def _plan_record(world: World, draft: Draft, row: CampaignRow, spec: Campaign, *, is_touched: bool) -> None:
    """Write campaign.json where it differs; where this plan writes it anyway, only what its spec changed."""
    from state.campaign_file import campaign_record

    existing, problem = _found_record(world, row.name)
    card = card_of(spec, row)
    if is_touched and row.card_json in ("", encode_card(card)):
        return
    expected = campaign_record(
        card, row, world.facts.ledger_of(row.uid), existing, world.facts.segments_of(row.uid)
    )
    is_kept = row.card_json == encode_card(card)
    is_renamed = is_touched and row.name in {one.new for one in world.facts.renames}
    differing = [] if is_renamed else sorted(_differing(expected, existing))
    if is_kept and not differing:
        return
    draft.add(
        actions.WriteCampaignRecord(campaign=row.name, campaign_uid=row.uid, card=card),
        subject=f"campaign/{row.name}",
        reason=problem or (f"differs in {', '.join(differing)}" if differing else "its spec changed"),
        cause=f"campaigns/{row.folder_name}/campaign.json"
        if differing
        else world.where(f"campaign/{row.name}"),
        source="drift" if is_kept else "edit",
        needs=draft.ids_of((row.name,), actions.MarkCheckpoint),
    )


def _differing(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    if expected == found:
        return []
    return [key for key in expected if found.get(key, ...) != expected[key]]


def _found_record(world: World, campaign: str) -> tuple[Mapping[str, Any], str | None]:
    found = world.facts.derived.campaign_records.get(campaign)
    if found is None or found.content is None:
        return {}, _problem(found) or "it is not there"
    return found.values, None


def _problem(found: DerivedFile | None) -> str | None:
    """Return what is wrong with the file, and that nothing in it is lost."""
    if found is None or found.problem is None or found.problem == IS_EMPTY:
        return found.problem if found else None
    name = found.path.rpartition("/")[2]
    return f"{found.problem}; what it holds is kept as {name}.damaged-<digest>"


def _plan_pointer(world: World, draft: Draft) -> None:
    store = world.facts.store
    is_renamed = any(one.campaign_uid == store.active_uid for one in draft.actions(actions.RenameCampaign))
    if is_renamed or draft.ids(actions.ActivateCampaign, actions.DeactivateCampaign):
        return
    row = next((row for row in store.campaigns if row.uid == store.active_uid), None)
    problem = _pointer_problem(world, row)
    if problem is None:
        return
    draft.add(
        actions.WritePointer(campaign=row.name if row else None, campaign_uid=row.uid if row else None),
        subject="pointer",
        reason=problem,
        cause="control/active_campaign.json",
        source="drift",
    )


def _pointer_problem(world: World, row: CampaignRow | None) -> str | None:
    derived = world.facts.derived
    link = derived.active_link.target
    if row is None:
        return (
            "no campaign is active, but one is pointed to" if derived.active_pointer.content or link else None
        )
    if link != row.folder_name:
        return f"the link points to {link or 'nothing'}"
    if derived.active_pointer.content is None:
        return _problem(derived.active_pointer) or "the pointer is not there"
    found = derived.active_pointer.values
    expected = pointer_record(row, world.facts.store.activated_at or "", found)
    differing = sorted(_differing(expected, found))
    return f"the pointer differs in {', '.join(differing)}" if differing else None
