"""Status files: what they say of a campaign's training is what the store says, long after a trainer died."""

from reconciler.plan import actions
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.status_files import training_status
from state.store.rows import CampaignRow

_WRITES_STATUS = (
    *(actions.RegisterCampaign, actions.TakeOverCheckpoint, actions.ImportCheckpoint),
    actions.RecordCheckpoint,
    *(actions.ArchiveCampaign, actions.RestoreCampaign),
    *(actions.LaunchRun, actions.CloseRun, actions.StopRun),
    *(actions.TrashCheckpoint, actions.PurgeTrash, actions.SetAsideCheckpoint, actions.MarkCheckpoint),
)
"""What makes the files right anyway, for the campaign that it is about."""


def plan_status_files(world: World, draft: Draft) -> None:
    """Rewrite the status files of campaigns with a spec that differ from what they should say."""
    touched = {
        change.action.campaign for change in draft.changes if isinstance(change.action, _WRITES_STATUS)
    }
    for row in world.facts.store.campaigns:
        is_home = row.status != "deleted" and world.seen(row.name).home == "home"
        # else it is moved first, or brought back by a person, and what has its place is not it
        is_open = row.name in world.desired.campaigns and row.name not in world.right
        if is_home and is_open and row.name not in touched:
            _plan_one(world, draft, row)


def _plan_one(world: World, draft: Draft, row: CampaignRow) -> None:
    found = world.facts.derived.status_files.get(row.name)
    content = found.values if found is not None else {}
    facts = world.facts
    expected = training_status(row, facts.runs_of(row.uid), facts.ledger_of(row.uid), facts.tombstones)
    differing = [key for key, value in expected.items() if content.get(key, ...) != value]
    if not differing:
        return
    reason = (
        f"says {content['status']}, but it is {expected['status']}" if "status" in content else "is not there"
    )
    if content and "status" not in differing:
        reason = f"differs in {', '.join(differing)}"
    draft.add(
        actions.WriteStatusFiles(campaign=row.name, campaign_uid=row.uid),
        subject=f"campaign/{row.name}",
        reason=f"training_status.json {(found.problem if found else None) or reason}",
        cause=f"campaigns/{row.folder_name}/status/training_status.json",
        source="drift",
    )
