"""The trash: what no rule keeps goes there, comes back when a person asks, is deleted when its time is over.

Fails closed: where anything about a campaign's checkpoints is unknown, damaged or contradictory, nothing of
that campaign is dropped, and the plan says why.
"""

from collections.abc import Collection, Iterable, Sequence

from reconciler.desired.desired import Source
from reconciler.desired.realm import duration_seconds
from reconciler.desired.retention import Retention
from reconciler.plan.actions import (
    ArchiveCampaign,
    DemoteCheckpoint,
    RecordCheckpoint,
    RenameCampaign,
    RestoreCampaign,
    RestoreCheckpoint,
    SetAsideCheckpoint,
    TrashCheckpoint,
)
from reconciler.plan.actions.base import of_recorded
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.budgets import warn_of_budget, warn_of_realm_budget
from reconciler.plan.keeping.elsewhere import is_elsewhere, lost_elsewhere
from reconciler.plan.keeping.held_back import is_held_back
from reconciler.plan.keeping.kept import checkpoint_id, drops_of, rules_for, set_name
from reconciler.plan.keeping.kept_now import kept_now
from reconciler.plan.keeping.marks import unmarked
from reconciler.plan.keeping.milestones import stood_for
from reconciler.plan.keeping.rule_warnings import (
    warn_of_loose_tags,
    warn_of_metrics,
    warn_of_pins,
    warn_of_unknown,
)
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.keeping.suspended import is_suspended, suspension_of
from reconciler.plan.retention.records import MalformedRecords
from reconciler.plan.trash.contents import is_vanished
from reconciler.plan.trash.doubts import ACKNOWLEDGE, Doubt, forgotten, unread
from reconciler.plan.trash.taken import block_taken
from reconciler.plan.world import World
from state.ids import checkpoint_folder
from state.store.rows import CampaignRow, DropKind, LedgerRow, TrashRow

_PUT_BACK = "it lies in the trash, and something has its place: that is read, and taken for it if it is whole"


def plan_drops(world: World, draft: Draft) -> None:
    """Drop what the rules keep no longer, in every campaign that has a spec."""
    retention = world.retention
    back, moving = {action.sequence for action in draft.actions(RestoreCheckpoint)}, _moving(draft)
    for row in world.facts.store.campaigns:
        if row.status == "deleted":
            continue  # its checkpoints went with it
        stock = stock_of(world, row)
        _finish_drops(world, draft, stock, back)
        if retention is not None and row.name in world.desired.campaigns and row.name not in moving:
            roll(world, draft, stock, retention)
    if retention is not None:
        warn_of_metrics(world, draft, retention)
        warn_of_unknown(world, draft, retention)
        warn_of_loose_tags(world, draft, retention)
        warn_of_realm_budget(world, draft, retention)


def roll(world: World, draft: Draft, stock: Stock, retention: Source[Retention]) -> None:
    """Drop what the rules keep no longer of one campaign; nothing while anything about it is in doubt."""
    if world.seen(stock.row.name).checkpoints.problem is not None:
        return  # `checkpoints` has said that nothing of it is deleted
    if suspension_of(world, stock.row.name) is not None or world.wants_cleanup(stock.row):
        return
    if why := why_on_hold(world, draft, stock):
        _block(draft, stock.row, retention, "retention-on-hold", why, way_out(world, stock))
        return
    if doubt := forgotten(world, stock):
        _block(draft, stock.row, retention, "retention-on-hold", doubt.why, doubt.way_out or "")
        return
    warn_of_pins(draft, stock, retention)
    try:
        _drop(world, draft, stock, retention)
    except MalformedRecords as error:
        hint = "see reconcile doctor; nothing is deleted"
        _block(draft, stock.row, retention, "retention-failed", str(error), hint)


def way_out(world: World, stock: Stock) -> str:
    """Return what mends the first loss: often something only lies in a checkpoint that is not of it."""
    if world.seen(stock.row.name).home != "home":
        return "its folder first, which may lie elsewhere whole: move away what has its place, or put it back"
    seen = world.seen(stock.row.name).checkpoints
    extra = (seen.too_much(checkpoint_folder(one.step)) for one in stock.lost if one.is_living)
    if found := next((one for one in extra if one is not None), None):
        return f"move {found} away"
    return "mend it, or list it under acknowledged_losses"


def _moving(draft: Draft) -> frozenset[str]:
    """Return the campaigns that this plan moves or renames: the rules decide once that is done."""
    archived = (move.campaign for move in draft.actions(ArchiveCampaign))
    restored = (move.campaign for move in draft.actions(RestoreCampaign))
    return frozenset((*archived, *restored, *(one.campaign for one in draft.actions(RenameCampaign))))


def why_on_hold(world: World, draft: Draft, stock: Stock) -> str | None:
    """Say what is missing or damaged among the recorded checkpoints, or not known."""
    row, seen = stock.row, world.seen(stock.row.name)
    if seen.problem is not None or seen.home != "home":
        return f"its checkpoints cannot be seen: {seen.problem or 'its folder is not at home'}"
    if any(action.campaign == row.name for action in draft.actions(SetAsideCheckpoint)):
        return "a checkpoint is damaged"
    return _lost_of(world, stock, (*stock.lost, *lost_elsewhere(world.facts, stock)))


def _lost_of(world: World, stock: Stock, lost: Iterable[LedgerRow]) -> str | None:
    """Say which of these, and of the full forms in the trash, nobody has acknowledged to be lost."""
    names = [checkpoint_id(stock.row, one, gone=False) for one in lost]
    names += [stone.thing for stone in world.facts.damaged_forms.get(stock.row.uid, ())]
    names = [name for name in dict.fromkeys(names) if name not in world.acknowledged_losses]
    if not names:
        return None
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more} is missing or damaged"


def _block(
    draft: Draft, row: CampaignRow, retention: Source[Retention], code: str, why: str, hint: str
) -> None:
    cause, message = retention.where("campaigns", set_name(row)), f"nothing of it is dropped: {why}"
    draft.block(f"campaign/{row.name}", code=code, message=message, cause=cause, hint=hint)


def _drop(world: World, draft: Draft, stock: Stock, retention: Source[Retention]) -> None:
    row, dropped = stock.row, drops_of(world, stock)
    if rules_for(retention.spec, row).keeps_by_rule:
        kept = kept_now(stock, retention, dropped)
        draft.kept.append(kept)
        warn_of_budget(draft, row, retention, kept)
    _demote(world, draft, stock, retention, dropped)
    former = stood_for(world, stock) if dropped else {}
    for one in stock.ledger if dropped else ():
        reasons = dropped.get(checkpoint_id(row, one, gone=False))
        if reasons and stock.is_in_force(one) and world.facts.tombstone(one) is None:
            unsaid = unmarked(world, row, one, former.get(one.sequence, ()))
            _let_roll(world, draft, row, one, retention, unsaid, reasons)


def _demote(
    world: World, draft: Draft, stock: Stock, retention: Source[Retention], dropped: Collection[str]
) -> None:
    """Let those that stay keep their weights only, where the rules ask for that."""
    sets = (retention.spec.campaigns.active, retention.spec.campaigns.archived)
    if any(one is not None and (one.keep_optimizer or one.keep_optimizer_within) for one in sets):
        from reconciler.plan.trash.demotions import plan_demotions  # seldom needed

        names = ((one.sequence, checkpoint_id(stock.row, one, gone=False)) for one in stock.ledger)
        going = {sequence for sequence, name in names if name in dropped}
        plan_demotions(world, draft, stock, retention, going)


def _let_roll(
    world: World,
    draft: Draft,
    row: CampaignRow,
    one: LedgerRow,
    retention: Source[Retention],
    unsaid: Sequence[str],
    reasons: Sequence[str],
) -> None:
    """Drop one that no rule keeps; one that people once marked only as if they had asked for it."""
    kind: DropKind = "asked" if unsaid else "rolled"
    grace = duration_seconds(getattr(retention.spec.trash, kind))
    cause = retention.where("campaigns", set_name(row))
    if not block_taken(world, draft, row, one, cause):
        plan_drop(draft, row, one, "; ".join((*unsaid, *reasons)), grace, cause, kind)


def plan_drop(
    draft: Draft,
    row: CampaignRow,
    one: LedgerRow,
    why: str,
    grace_seconds: float,
    cause: str,
    kind: DropKind = "rolled",
    told: str | None = None,
) -> None:
    """Drop a checkpoint of a campaign: by the rules, or because a person's spec asks for it.

    `told`: what people are told of it in the place of why it is dropped.
    """
    add_to_trash(
        draft,
        row,
        one,
        cause,
        TrashCheckpoint(
            **of_recorded(row.name, one),
            digest=one.digest,
            size_bytes=one.size_bytes,
            kind=kind,
            why=why,
            grace_seconds=grace_seconds,
        ),
        told,
    )


def add_to_trash(
    draft: Draft,
    row: CampaignRow,
    one: LedgerRow,
    cause: str,
    action: TrashCheckpoint | DemoteCheckpoint,
    told: str | None = None,
) -> None:
    """Plan what moves a checkpoint of a campaign, or a part of it, into the trash."""
    draft.add(
        action,
        subject=f"checkpoint/{row.name}@{one.which}",
        reason=told or action.why,
        cause=cause,
        source="edit" if action.kind == "asked" else "rules",
        needs=draft.ids_of((row.name,), RecordCheckpoint),
    )


def _finish_drops(world: World, draft: Draft, stock: Stock, back: set[int | None]) -> None:
    """Move what has its tombstone already and still lies in its place: a kill came between the two."""
    doubt = doubt_about(world, draft, stock) if world.facts.tombstones else None
    for one in stock.ledger if world.facts.tombstones else ():
        stone = world.facts.dropped(one) if one.digest in stock.there else None
        if stone is None or one.sequence in back:
            continue
        if _is_held_in_its_place(world, draft, stone, doubt):
            draft.held_drops.add(stone.sequence)
        else:
            kind: DropKind = "asked" if stone.kind == "asked" else "rolled"
            told = None if is_vanished(world.facts, stone) else _PUT_BACK
            again = (stone.reason, stone.grace_seconds, "an earlier drop", kind, told)
            plan_drop(draft, stock.row, one, *again)


def _is_held_in_its_place(world: World, draft: Draft, stone: TrashRow, doubt: Doubt | None) -> bool:
    is_held = is_held_back(world, draft, stone) or is_doubtful(draft, stone, doubt)
    return is_held or is_suspended(world, draft, stone)


def doubt_about(world: World, draft: Draft, stock: Stock) -> Doubt | None:
    """Say why nothing of a campaign's trash is deleted: a loss or damage, or nothing else is left of it.

    A campaign that was deleted whole leaves none but what was found damaged in the trash since: a person
    approved that all of it goes, and what retention had dropped of it before goes in its own time.
    """
    row = stock.row
    if world.facts.deletion(row.uid) is not None:
        damaged = (one for one in stock.in_force.values() if one.damage is not None)
        why = _lost_of(world, stock, damaged)
        return Doubt(why, ACKNOWLEDGE) if why else None
    if why := why_on_hold(world, draft, stock):
        if world.seen(row.name).problem is not None or world.seen(row.name).home != "home":
            return Doubt(why, "bring its folder back to its place, readable")
        return Doubt(why, ACKNOWLEDGE)
    if doubt := forgotten(world, stock):
        return doubt
    is_left = any(stock.is_there(one) and one.sequence not in world.facts.tombstones for one in stock.ledger)
    is_left = is_left or any(is_elsewhere(world.facts, one) for one in stock.in_force.values())
    if not is_left and not world.wants_cleanup(row):
        return Doubt("no other checkpoint of it lies there whole", None)
    return unread(world, stock)


def is_doubtful(draft: Draft, stone: TrashRow, doubt: Doubt | None) -> bool:
    """Does the doubt about its campaign hold it? Then that is named; what is half deleted goes on."""
    if doubt is None or stone.state != "trashed" or (stone.is_moved and doubt.spares_moved):
        return False
    more = f"; or {doubt.way_out}" if doubt.way_out else ""
    draft.block(
        stone.subject,
        code="deletion-on-hold",
        message=f"it was dropped, and is not deleted: {doubt.why}",
        cause=stone.path,
        hint=f"take it back: reconcile undelete {stone.thing}{more}",
    )
    return True
