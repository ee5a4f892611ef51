"""Copies of checkpoints outside the root: where each lies, which there are, and one more of them."""

from datetime import datetime

from reconciler.plan.actions import AnyAction, CopyCheckpoint
from reconciler.plan.actions.base import name_of, of_recorded
from reconciler.plan.changes import Source, change_id
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import whole_copies
from reconciler.plan.world import World
from state.ids import checkpoint_folder, segment_folder
from state.store.rows import CampaignRow, CopyKind, LedgerRow

_TRIED_AGAIN_SECONDS = 3600.0


def copy_place(to: str, campaign: str, segment: int | None, step: int) -> str:
    """Return the folder of a checkpoint's copy: below `to` as in the root, so each has a place of its own."""
    aside = "" if segment is None else f"{segment_folder(segment)}/"
    return f"{to.rstrip('/')}/{campaign}/{aside}{checkpoint_folder(step)}"


def is_copied(world: World, row: CampaignRow, one: LedgerRow, to: str) -> bool:
    """Does a whole copy of the checkpoint lie below this folder?"""
    place = copy_place(to, row.folder_name, one.named_segment, one.step)
    return any(copy.path == place for copy in whole_copies(world.facts, one))


def copy_action(world: World, row: CampaignRow, one: LedgerRow, to: str, kind: CopyKind) -> CopyCheckpoint:
    """Return what makes a copy: of what lies in the root, or of a copy of what was moved out of it."""
    stone = world.facts.tombstone(one)
    sources = whole_copies(world.facts, one) if stone is not None and stone.is_moved else ()
    return CopyCheckpoint(
        **of_recorded(row.name, one),
        digest=one.digest,
        size_bytes=one.size_bytes,
        to=to,
        kind=kind,
        sources=tuple(copy.path for copy in sources),
    )


def plan_copy(draft: Draft, action: CopyCheckpoint, *, reason: str, cause: str, source: Source) -> None:
    """Make a copy, unless this plan makes it already, for whatever reason."""
    if all((one.sequence, one.to) != (action.sequence, action.to) for one in draft.actions(CopyCheckpoint)):
        subject = f"checkpoint/{name_of(action)}"
        draft.add(action, subject=subject, reason=reason, cause=cause, source=source)


def plan_wanted(world: World, draft: Draft, action: CopyCheckpoint, *, reason: str, cause: str) -> None:
    """Make a copy that the rules want; of one that failed for good lately, say why."""
    if failed := failed_lately(world, action):
        draft.block(
            f"checkpoint/{name_of(action)}",
            code="copy-failed",
            message=f"no copy in {action.to}: {failed}",
            cause=cause,
            hint="mend that; tried again an hour after it failed",
        )
    else:
        plan_copy(draft, action, reason=reason, cause=cause, source="rules")


def failed_lately(world: World, action: AnyAction) -> str | None:
    """Return why an action failed for good within the last hour; a moment in the future counts as now."""
    failed = world.facts.failed_action(change_id(action))
    if failed is None:
        return None
    since = datetime.fromisoformat(world.now) - datetime.fromisoformat(failed.failed_at[-1])
    return failed.outcome if since.total_seconds() < _TRIED_AGAIN_SECONDS else None
