"""Copies of checkpoints outside the root: where each lies, which there are, and one more of them."""

from reconciler.plan.actions import CopyCheckpoint
from reconciler.plan.actions.base import name_of, of_recorded
from reconciler.plan.changes import Source
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import whole_copies
from reconciler.plan.retries.held import held_back
from reconciler.plan.world import World
from state.ids import checkpoint_folder, segment_folder
from state.store.rows import CampaignRow, CopyKind, LedgerRow


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
    """Make a copy that the rules want; of one that failed for good lately, say why and until when."""
    if held := held_back(world, action):
        draft.block(
            f"checkpoint/{name_of(action)}",
            code="copy-failed",
            message=f"no copy in {action.to}: {held.why}",
            cause=cause,
            hint=f"mend that{held.at_once}",
        )
    else:
        plan_copy(draft, action, reason=reason, cause=cause, source="rules")
