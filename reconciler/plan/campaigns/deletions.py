"""Deletion of whole campaigns: what `state: deleted` in a spec asks for. It always waits for an approval.

A campaign goes whole and at rest, or not at all: whatever stands against it is named, each with the way out.
What is deleted keeps its row, its ledger rows and its number, and can be taken back until the purge.
"""

from collections.abc import Iterator

from reconciler.plan.actions import DeleteCampaign, RestoreCheckpoint
from reconciler.plan.at_rest import needs_at_rest
from reconciler.plan.campaigns.cleanup import asked_grace_seconds, names_of, obstacles_to, said_before
from reconciler.plan.campaigns.in_its_place import taken_places, what_lies_there
from reconciler.plan.campaigns.overruled import overruled, overruled_deletion, taken_back_before
from reconciler.plan.copies.export_first import Obstacle
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.held_back import is_wanted_back
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.trash.contents import is_cut_short, is_vanished
from reconciler.plan.trash.undeletes import wanted_in_words, wanted_where
from reconciler.plan.world import World
from state.amounts import count, moment
from state.ids import campaign_folder, contents_digest, deletion_number
from state.store.rows import CampaignRow, TrashRow


def plan_deletions(world: World, draft: Draft) -> None:
    """Delete the campaigns whose specs say so, end what a kill cut short, name those that are wanted back."""
    back = {action.sequence for action in draft.actions(RestoreCheckpoint)}
    for row in world.facts.store.campaigns:
        if row.status == "deleted":
            _go_on(world, draft, row, back)
    asked = [row for row in _wanted(world) if not _is_overruled(world, draft, row)]
    rows = [row for row in asked if not _is_blocked(world, draft, row)]
    going = _without_dependants(world, {row.name for row in rows})
    for row in rows:
        if row.name in going:
            _plan_deletion(world, draft, row)
        else:
            _block_dependants(world, draft, row, going)


def _wanted(world: World) -> Iterator[CampaignRow]:
    for name, source in world.desired.campaigns.items():
        row = world.facts.campaign_row(name)
        if source.spec.state == "deleted" and row is not None and row.status != "deleted":
            yield row


def _is_overruled(world: World, draft: Draft, row: CampaignRow) -> bool:
    """Say that a person took the campaign back while this line stood, if one did: then it stays."""
    stone = overruled_deletion(world, row)
    if stone is not None:
        draft.warnings.append(
            f"{world.where(f'campaign/{row.name}', 'state')}: state: deleted counts no more: a person took "
            f"{row.name} back at {stone.ended_at}; take the line out; to delete it after all, apply then, "
            "and write it again"
        )
    return stone is not None


def _go_on(world: World, draft: Draft, row: CampaignRow, back: set[int | None]) -> None:
    """Go on with what has its tombstone and lies in its place; say how it comes back if a spec wants it."""
    stone = world.facts.deletion(row.uid)
    if stone is None or stone.sequence in back:
        return
    if is_wanted_back(world, stone):
        _block_deleted(world, draft, stone)
    elif stone.state == "trashed" and world.seen(row.name).home != "missing":
        _finish(world, draft, stone, row)


def _finish(world: World, draft: Draft, stone: TrashRow, row: CampaignRow) -> None:
    """Move what a kill left in its place; let be, and name, what came there since, be it a copy of it."""
    if not is_vanished(world.facts, stone):
        lies = f"it lies in {stone.path}, and something has its place: {stone.origin}"
        hint = f"move {stone.origin} away: it is never deleted here; to have the campaign back, undelete it"
    elif is_cut_short(world, stone):
        _add(draft, row, _again(world, stone, row), cause="an earlier deletion")
        return
    else:
        lies = f"what lies in its place, {stone.origin}, is not what was deleted: it is not moved away"
        hint = f"reconcile undelete {stone.thing} makes it a campaign again"
    draft.block(
        stone.subject,
        code="place-taken",
        message=f"it was deleted at {stone.trashed_at}; {lies}",
        cause=stone.origin,
        hint=hint,
    )


def _block_deleted(world: World, draft: Draft, stone: TrashRow) -> None:
    """Name one that its spec wants, or wanted, and that `trash/undeletes` could not plan to take back."""
    stays, hint = _why_it_stays_away(world, stone)
    draft.block(
        stone.subject,
        code="deleted",
        message=f"it was deleted at {moment(stone.trashed_at)}{stays}",
        cause=wanted_where(world, stone),
        hint=hint,
    )


def _why_it_stays_away(world: World, stone: TrashRow) -> tuple[str, str]:
    """Return where it is and why it does not come back, with what to do about that."""
    hero, wants = stone.campaign.partition("/")[0], wanted_in_words(world, stone)
    if stone.state != "trashed":
        return f", for good; {wants}", f"begin another: reconcile new campaign {hero}"
    stays = f"; {wants}, so it stays in the trash"
    if world.facts.trash.problem is not None:
        return stays, "once the trash can be read again it comes back by itself"
    if is_vanished(world.facts, stone):
        return _why_it_is_lost(world, stone, wants)
    if places := " and ".join(taken_places(world, stone.campaign)):
        stays = f"{stays}: its place is taken; {what_lies_there(world, stone.campaign)}"
        return stays, f"move {places} away (nothing of it is deleted here): then it comes back by itself"
    return stays, f"reconcile undelete {stone.thing} takes it back"


def _why_it_is_lost(world: World, stone: TrashRow, wants: str) -> tuple[str, str]:
    stays, hint = f"; {wants}, and it does not lie in the trash any more", f"put {stone.path} back"
    if places := " and ".join(taken_places(world, stone.campaign)):
        stays = f"{stays}; {what_lies_there(world, stone.campaign)}"
        or_else = f"or, where that is the campaign: reconcile undelete {stone.thing}"
        hint = f"{hint}, and move {places} away (nothing of it is deleted here); {or_else}"
    return stays, hint


def _is_blocked(world: World, draft: Draft, row: CampaignRow) -> bool:
    """Name everything that stands against the deletion of a campaign, but for what began with it."""
    obstacles = list(_obstacles(world, draft, stock_of(world, row)))
    for obstacle in obstacles:
        _block(draft, row, obstacle)
    return bool(obstacles)


def _block(draft: Draft, row: CampaignRow, obstacle: Obstacle) -> None:
    draft.block(
        f"campaign/{row.name}",
        code=obstacle.code,
        message=f"it is not deleted: {obstacle.message}",
        cause=obstacle.cause,
        hint=obstacle.hint,
    )


def _obstacles(world: World, draft: Draft, stock: Stock) -> Iterator[Obstacle]:
    row = stock.row
    found = [one for one in stock.ledger if stock.is_there(one)]
    yield from obstacles_to(world, draft, stock, found, {})
    if back := overruled(world, stock):
        hint = "take the line out, apply, and write it again if all of it may go"
        where = world.where(f"campaign/{row.name}", "state")
        what = f"a person took {names_of(stock, back)} back while this line stood"
        yield Obstacle("taken-back", what, where, hint)
    for foreign in world.seen(row.name).checkpoints.foreign:
        hint = "move it away: what is not understood is never deleted here"
        yield Obstacle("foreign", f"{foreign.path} is no checkpoint: {foreign.reason}", foreign.path, hint)
    folder = campaign_folder(row.folder_name, archived=row.status == "archived")
    if (strange := world.facts.strange.get(folder)) is not None:
        hint = "move it away: what is not ours is never deleted here"
        yield Obstacle("not-ours", f"{folder} holds what is not ours: {strange}", folder, hint)


def _without_dependants(world: World, names: set[str]) -> set[str]:
    """Return those of these campaigns from which nobody began, or only others that go too."""
    while kept := {name for name in names if any(_dependants(world, name, names))}:
        names = names - kept
    return names


def _block_dependants(world: World, draft: Draft, row: CampaignRow, going: set[str]) -> None:
    name, checkpoint = next(_dependants(world, row.name, going))
    cause = world.where(f"campaign/{row.name}", "state")
    message, hint = (
        f"{name} began with {checkpoint}, or is to",
        "delete that campaign too, or let this one be",
    )
    _block(draft, row, Obstacle("is-a-starting-point", message, cause, hint))


def _dependants(world: World, campaign: str, going: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (campaign, checkpoint) of those that began, or are to begin, with a checkpoint of this one."""
    for name, checkpoint in world.starting_points.get(campaign, ()):
        if name != campaign and name not in going:
            yield name, checkpoint


def _plan_deletion(world: World, draft: Draft, row: CampaignRow) -> None:
    complete, living = world.seen(row.name).all_complete, world.seen(row.name).checkpoints.complete
    action = DeleteCampaign(
        campaign=row.name,
        campaign_uid=row.uid,
        sequence=deletion_number(row.uid),
        step=max((found.step for found in living), default=row.starting_step),
        digest=contents_digest(found.digest for found in complete),
        checkpoints=len(complete),
        size_bytes=sum(found.size_bytes for found in complete),
        why="its spec says state: deleted",
        grace_seconds=asked_grace_seconds(world),
    )
    cause, stock = world.where(f"campaign/{row.name}", "state"), stock_of(world, row)
    if before := taken_back_before(world, stock):
        draft.warnings.append(f"{cause}: state: deleted takes {said_before(stock, before)}")
    if away := world.facts.moved_out.get(row.uid):
        draft.warnings.append(
            f"{cause}: {row.name} has {count(len(away), 'checkpoint')} outside the root, where nothing is "
            "ever deleted: reconcile get checkpoints tells where"
        )
    _add(draft, row, action, cause=cause)


def _again(world: World, stone: TrashRow, row: CampaignRow) -> DeleteCampaign:
    return DeleteCampaign(
        campaign=row.name,
        campaign_uid=row.uid,
        sequence=stone.sequence,
        step=stone.step,
        digest=stone.digest,
        checkpoints=len(world.seen(row.name).all_complete),
        size_bytes=stone.size_bytes,
        why=stone.reason,
        grace_seconds=stone.grace_seconds,
    )


def _add(draft: Draft, row: CampaignRow, action: DeleteCampaign, *, cause: str) -> None:
    draft.add(
        action,
        subject=f"campaign/{row.name}",
        reason=action.why,
        cause=cause,
        source="edit",
        needs=needs_at_rest(draft, row),
    )
