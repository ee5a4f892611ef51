"""What stands where a file or a folder of the realm belongs is named; nothing is planned that would go there.

So a plan has no change that fails for ever, and nothing is read, written or moved through a link.
"""

from collections.abc import Iterator

from reconciler.plan import actions as a
from reconciler.plan.changes import Change
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.ids import INBOX, recorded_folder

_STATUS = (
    "status/training_status.json",
    "status/checkpoint_ledger.json",
    "status/curriculum_state.json",
)
_ALL = ("checkpoints", "runs", "logs", "campaign.json", *_STATUS)
_MOVED = ("checkpoints", "campaign.json", "archive_summary.json", *_STATUS)
_PLACES: dict[type[a.Action], tuple[str, ...]] = {
    a.WriteCampaignRecord: ("campaign.json",),
    a.WriteStatusFiles: _STATUS,
    **dict.fromkeys((a.LaunchRun, a.RegisterCampaign), _ALL),
    **dict.fromkeys((a.ArchiveCampaign, a.RestoreCampaign), _MOVED),
    **dict.fromkeys((a.TrashCheckpoint, a.DemoteCheckpoint, a.RestoreCheckpoint), ("checkpoints",)),
    **dict.fromkeys((a.MoveOutCheckpoint, a.BringBackCheckpoint), ("checkpoints",)),
    **dict.fromkeys((a.TakeOverCheckpoint, a.ImportCheckpoint, a.SetAsideCheckpoint), ("checkpoints",)),
}
"""In the campaign's folder."""
_MOVE = "move it away; files and empty folders are made again, what was in a folder you bring back"
_READ = "make it readable again for the user that apply runs as (ls -ld shows whose it is)"
_MOVES_CAMPAIGN = (a.ArchiveCampaign, a.RestoreCampaign, a.DeleteCampaign)
_USES_TRASH = (a.RestoreCheckpoint, a.WriteTombstone, a.BringBackCheckpoint)
"""Beside what destroys: that goes there, or is there."""
_USES_DATA = (a.SnapshotFile, a.GenerateQuest, a.TakeInboxFile)


def plan_obstacles(world: World, draft: Draft) -> None:
    """Name each obstacle, and take out what would have to go there, with what needs that."""
    paths = {one.path for one in world.facts.obstacles}
    if not paths:
        return
    for one in world.facts.obstacles:
        draft.block(
            _subject(one.path),
            code="in-the-way",
            message=f"{one.path} {one.message}",
            cause=one.path,
            hint=_READ if one.is_unreadable else _MOVE,
        )
    out: set[str] = set()
    for change in draft.changes:
        if change.waits_on(out) or any(_is_blocked(place, paths) for place in _places_of(world, change)):
            out.add(change.id)
    draft.take_out([change for change in draft.changes if change.id in out])


def _subject(path: str) -> str:
    parts = path.split("/")
    if parts[0] == "campaigns":
        name = parts[2:4] if parts[1:2] == ["archive"] else parts[1:3]
        if len(name) == 2:  # noqa: PLR2004 - a hero's and a campaign's id
            return f"campaign/{name[0]}/{name[1].removesuffix('-archived')}"
    return parts[0] if parts[0] in ("queue", INBOX) else "root"


def _is_blocked(place: str, paths: set[str]) -> bool:
    """Is this place, or a folder on the way to it, something else than it should be?"""
    while place:
        if place in paths:
            return True
        place = place.rpartition("/")[0]
    return False


def _places_of(world: World, change: Change) -> Iterator[str]:
    """Yield where the action reads, writes and moves."""
    action = change.action
    if isinstance(action, _USES_DATA):
        yield "data"
    if action.destroys or isinstance(action, _USES_TRASH):
        yield "trash"
    if isinstance(action, a.WritePointer):
        yield from ("control/active_campaign.json", "campaigns/active")
    campaign = getattr(action, "campaign", None)
    if campaign is not None:
        yield from (f"{_home(world, campaign)}/{name}" for name in _PLACES.get(type(action), ()))
    if isinstance(action, _MOVES_CAMPAIGN):
        yield from (_recorded(world, action.campaign, archived=side) for side in (False, True))


def _home(world: World, campaign: str) -> str:
    row = world.facts.campaign_row(campaign)
    return _recorded(world, campaign, archived=row is not None and row.status == "archived")


def _recorded(world: World, campaign: str, *, archived: bool) -> str:
    row = world.facts.campaign_row(campaign)
    return str(recorded_folder(row.folder_name if row is not None else campaign, archived=archived))
