"""A missing or damaged checkpoint is made whole again where another whole copy of its bytes is known.

Only while no trainer of the campaign lives, and only where the history has not gone on without it: a run that
went on from an earlier checkpoint has left this one behind, and bringing it back would put it before what was
learnt since. What failed for good is named, and tried again an hour later; training does not wait for that.
"""

from collections.abc import Iterator
from shlex import quote

from reconciler.observed.records import CheckpointFacts
from reconciler.plan.actions import MendCheckpoint, SetAsideCheckpoint
from reconciler.plan.actions.base import of_recorded
from reconciler.plan.checkpoints.damaged import plan_set_aside
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import whole_copies
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.retries.held import held_back
from reconciler.plan.world import World
from state.ids import checkpoint_folder
from state.store.rows import LedgerRow


def plan_mends(world: World, draft: Draft) -> None:
    """Mend what can be mended; what cannot was named already."""
    known = {copy.sequence for copy in world.facts.store.copies}
    begun = {row.parent_uid for row in world.facts.store.campaigns if row.starting_digest is not None}
    for row in world.facts.store.campaigns:
        ledger = world.facts.ledger_of(row.uid)
        if row.uid not in begun and not any(one.sequence in known for one in ledger):
            continue
        seen = world.seen(row.name)
        if (
            seen.problem is None
            and seen.home == "home"
            and row.status != "deleted"
            and not world.is_training(row.name)
        ):
            for one, sources in _mendable(world, stock_of(world, row)):
                _plan_one(world, draft, row.name, one, sources)


def is_being_mended(draft: Draft, campaign: str) -> bool:
    """Is a checkpoint of it mended by this plan? Then the next one knows what to go on from."""
    return any(action.campaign == campaign for action in draft.actions(MendCheckpoint))


def _mendable(world: World, stock: Stock) -> Iterator[tuple[LedgerRow, tuple[str, ...]]]:
    for one in stock.lost:
        if world.facts.tombstone(one) is None and not _is_left_behind(stock, one):
            twins = _twins(world, stock, one) if one.damage is not None else ()
            if sources := (*(copy.path for copy in whole_copies(world.facts, one)), *twins):
                yield one, sources


def _is_left_behind(stock: Stock, one: LedgerRow) -> bool:
    """Was something saved after it that is no further on?"""
    return one.is_living and any(
        other.is_living and other.sequence > one.sequence and other.step <= one.step for other in stock.ledger
    )


def _twins(world: World, stock: Stock, one: LedgerRow) -> Iterator[str]:
    """Yield where campaigns that began with it have its files; hard links of them share its damage.

    They lie under another manifest: its own is needed too, which was set aside with what is damaged.
    """
    for child in world.facts.store.campaigns:
        if child.starting_digest != one.digest or child.parent_uid != stock.row.uid:
            continue
        for found in world.seen(child.name).all_complete:
            if found.origin is not None and found.origin.digest == one.digest:
                yield found.path


def _plan_one(world: World, draft: Draft, campaign: str, one: LedgerRow, sources: tuple[str, ...]) -> None:
    action = MendCheckpoint(
        **of_recorded(campaign, one),
        digest=one.digest,
        size_bytes=one.size_bytes,
        sources=sources,
    )
    subject, what = f"checkpoint/{campaign}@{one.which}", "damaged" if one.damage else "missing"
    if held := held_back(world, action):
        hint = f"mount the disk of the copy, or put the folder back{held.at_once}"
        message = f"it is {what}, and was not mended: {held.why}"
        _say_once(draft, subject)
        draft.block(subject, code="mend-failed", message=message, cause=one.path, hint=hint)
        return
    if not _is_free(world, draft, campaign, one, sources):
        return
    needs = [change.id for change in draft.changes if _moves(change.action, one)]
    reason = f"it is {what}, and its bytes are known elsewhere"
    draft.add(action, subject=subject, reason=reason, cause=one.path, source="drift", needs=tuple(needs))


def _say_once(draft: Draft, subject: str) -> None:
    """Take back that it is missing or damaged: why it is not mended says that, too."""
    told = ("checkpoint-missing", "checkpoint-damaged")
    draft.blocked = [one for one in draft.blocked if one.subject != subject or one.code not in told]


def _is_free(world: World, draft: Draft, campaign: str, one: LedgerRow, sources: tuple[str, ...]) -> bool:
    """Is its place free, or will be? What is left of it is set aside; all else is a person's to move."""
    seen = world.seen(campaign)
    lying = seen.checkpoints if one.is_living else seen.segments.get(one.segment, CheckpointFacts())
    name = checkpoint_folder(one.step)
    there = lying.in_place_of(name)
    other = next((found for found in lying.complete if found.step == one.step), None)
    if there is not None and there.torn is not None and there.torn.may_be(one.digest):
        plan_set_aside(draft, campaign, one, there.reason)
        return True
    taken = there or (other if other is not None and other.digest != one.digest else None)
    if taken is None:
        return True
    subject = f"checkpoint/{campaign}@{one.which}"
    _say_once(draft, subject)
    draft.block(
        subject,
        code="mend-in-the-way",
        message=f"it can be made whole again from {sources[0]}, but what lies in its place may be somebody's "
        f"and is not touched: {there.reason if there is not None else 'another checkpoint'}",
        cause=one.path,
        hint=f"mv {quote(taken.path)} ELSEWHERE: then that is done by itself",
    )
    return False


def _moves(action: object, one: LedgerRow) -> bool:
    """Does this set the damaged one aside, so that its name is free?"""
    if not isinstance(action, SetAsideCheckpoint):
        return False
    return (action.campaign_uid, action.digest) == (one.campaign_uid, one.digest)
