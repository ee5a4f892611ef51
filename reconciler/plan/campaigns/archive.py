"""The archive: campaigns move in when their spec says `state: archived`, and out when it no longer does.

A campaign moves in whole and at rest: its trainer has left, its runs are closed, its checkpoints recorded. A
move that a kill cut short is planned again, whichever way the specs point by then.
"""

from collections.abc import Sequence

from reconciler.plan.actions import (
    ArchiveCampaign,
    BringBackCheckpoint,
    RegisterCampaign,
    RestoreCampaign,
)
from reconciler.plan.at_rest import needs_at_rest
from reconciler.plan.campaigns.afterwards import drops_afterwards, told_afterwards
from reconciler.plan.campaigns.starts import has_no_start_yet
from reconciler.plan.changes import Change
from reconciler.plan.copies.moving_back import not_coming
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.ids import campaign_folder
from state.store.rows import CampaignRow


def plan_restores(world: World, draft: Draft) -> None:
    """Take out of the archive what the specs do not want there; it comes before a campaign is made active."""
    for row in world.facts.store.campaigns:
        if row.status != "deleted" and not world.wants_archived(row) and _is_away(world, row, archived=True):
            _plan_restore(world, draft, row)


def plan_archives(world: World, draft: Draft) -> None:
    """Move into the archive what the specs want there, once nothing of it moves any more."""
    rows = [row for row in world.facts.store.campaigns if _is_to_be_archived(world, draft, row)]
    later = drops_afterwards(world, draft, rows) if rows else {}
    for row in rows:
        _plan_archive(world, draft, row, later[row.name])
        draft.afterwards += later[row.name]
    for action in draft.actions(RegisterCampaign):
        if world.desired.campaigns[action.campaign].spec.state == "archived":
            _plan_archive_of_new(world, draft, action)


def _plan_archive_of_new(world: World, draft: Draft, begun: RegisterCampaign) -> None:
    """Archive what this plan creates; where its folder lies there already, that is recorded first."""
    name = begun.campaign
    if name in world.facts.campaigns:
        where = _cause(world, name)
        draft.warnings.append(
            f"{where}: {name} is archived by a later plan, once what lies in its folder is recorded"
        )
        return
    draft.add(
        ArchiveCampaign(campaign=name, campaign_uid=begun.campaign_uid),
        subject=f"campaign/{name}",
        reason=f"its spec says state: archived{_told_start(world, name)}",
        cause=_cause(world, name),
        source="edit",
        needs=draft.ids_of((name,), RegisterCampaign),
    )


def _told_start(world: World, name: str) -> str:
    """Return in words what a campaign that has not begun does not begin with while it is archived."""
    source = world.desired.campaigns.get(name)
    wanted = source.spec.starting_checkpoint if source is not None else None
    if wanted is None or not has_no_start_yet(world, name):
        return ""
    return f"; {wanted} is not taken over, unless it is restored"


def _is_to_be_archived(world: World, draft: Draft, row: CampaignRow) -> bool:
    """Is it wanted in the archive, not there yet, and free to go? What is in the way is named."""
    if row.status == "deleted" or not world.wants_archived(row) or not _is_away(world, row, archived=False):
        return False
    return not (_is_in_the_way(world, draft, row) or _is_still_training(world, draft, row))


def _is_away(world: World, row: CampaignRow, *, archived: bool) -> bool:
    """Does its row, or its folder after a move that was cut short, say that it is (or is not) archived?"""
    is_archived = row.status == "archived"
    return is_archived == archived or world.seen(row.name).home == "moved"


def _plan_restore(world: World, draft: Draft, row: CampaignRow) -> None:
    if _is_in_the_way(world, draft, row) or _is_partly_elsewhere(world, draft, row):
        return
    draft.add(
        RestoreCampaign(campaign=row.name, campaign_uid=row.uid),
        subject=f"campaign/{row.name}",
        reason=f"archived at {row.archived_at}; its spec no longer says so",
        cause=world.where(f"campaign/{row.name}") if row.name in world.desired.campaigns else row.name,
        source="edit",
        needs=draft.ids_of((row.name,), BringBackCheckpoint),
    )


def _is_partly_elsewhere(world: World, draft: Draft, row: CampaignRow) -> bool:
    """Say what of it does not come back, if something does not: without that it stays in the archive."""
    stuck = not_coming(world, draft, row)
    if not stuck:
        return False
    subjects = {stone.subject for stone in stuck}
    told = next((item for item in draft.blocked if item.subject in subjects), None)
    why = told.message if told else "it is elsewhere"
    more = f" and {len(stuck) - 1:,} more" if len(stuck) > 1 else ""
    draft.block(
        f"campaign/{row.name}",
        code="not-restored",
        message=f"it cannot be restored: {stuck[0].thing}{more}: {why}",
        cause=world.where(f"campaign/{row.name}") if row.name in world.desired.campaigns else row.name,
        hint=told.hint if told else f"give {row.name} a spec, which brings it back",
    )
    return True


def _plan_archive(world: World, draft: Draft, row: CampaignRow, later: Sequence[Change]) -> None:
    draft.add(
        ArchiveCampaign(campaign=row.name, campaign_uid=row.uid),
        subject=f"campaign/{row.name}",
        reason=f"its spec says state: archived{_told_start(world, row.name)}{told_afterwards(world, later)}",
        cause=_cause(world, row.name),
        source="edit",
        needs=needs_at_rest(draft, row),
    )


def _cause(world: World, name: str) -> str:
    return world.where(f"campaign/{name}", "state") if name in world.desired.campaigns else name


def _is_in_the_way(world: World, draft: Draft, row: CampaignRow) -> bool:
    """Say what keeps the folder from being moved, if something does."""
    home = world.seen(row.name).home
    if home not in ("both", "missing"):
        return False
    is_archived = row.status == "archived"
    own = campaign_folder(row.folder_name, archived=is_archived)
    other = campaign_folder(row.folder_name, archived=not is_archived)
    if home == "missing":
        code, message, hint = "folder-missing", f"{own} is not there", "bring the folder back, from a copy"
    else:
        code, message, hint = "name-taken", f"{other} lies there already", f"move {other} somewhere else"
    draft.block(
        f"campaign/{row.name}",
        code=code,
        message=f"it cannot be {'restored' if is_archived else 'archived'}: {message}",
        cause=_cause(world, row.name),
        hint=f"{hint}; nothing is put over it or into it",
    )
    return True


def _is_still_training(world: World, draft: Draft, row: CampaignRow) -> bool:
    """Say that the campaign is archived once its trainer has left, if one lives."""
    if not world.is_training(row.name):
        return False
    draft.block(
        f"campaign/{row.name}",
        code="still-training",
        message="it is archived once its trainer has saved and left",
        cause=_cause(world, row.name),
        hint="wait: apply goes on by itself",
    )
    return True
