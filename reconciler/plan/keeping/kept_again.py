"""What lies in the trash though nothing asks for it to go any more.

The rules in force would keep it, there is none, or its campaign has no spec any more. Checkpoints are judged
as if nothing that lies in the trash whole had gone. By rules that nobody changed that says of each
what was said when it was dropped: what lies there is older than what stayed. What moves without a word of the
rules is not judged by: a segment that was begun since (what is the newest of a stretch is another then), and
the archive's rules where the campaign was archived since.
"""

from collections.abc import Mapping

import msgspec

from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept import by_stretch, checkpoint_id, records_of, rules_of, set_name
from reconciler.plan.keeping.optimizers import wanted
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.retention.history import history_of
from reconciler.plan.retention.keep_rules import reasons_by_rule
from reconciler.plan.retention.protections import NO_RULE
from reconciler.plan.retention.records import MalformedRecords, Record
from reconciler.plan.retention.rules import Rules
from reconciler.plan.world import World
from state.store.rows import CampaignRow, TrashRow

_BY_RULES = ("rolled", "asked")
_NO_FILE = "specs/retention.yaml"


def is_kept_again(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Does nothing ask any more for it to go? Then it is named; half deleted already, it is not."""
    row = world.facts.campaign_row(stone.campaign)
    if row is None or not _is_judged(world, row, stone):
        return False
    why, what = _why_held(world, draft, row, stone), "its optimizer state" if stone.keeps else "it"
    if why is not None:
        draft.block(
            stone.subject,
            code="protected-in-the-trash",
            message=f"{why}, and {what} lies in the trash, where it stays",
            cause=world.retention.where("campaigns", set_name(row)) if world.retention else _NO_FILE,
            hint=f"reconcile undelete {stone.thing} takes it back; or {_what_drops_it(world, row)}",
        )
    return why is not None


def _what_drops_it(world: World, row: CampaignRow) -> str:
    return (
        "write rules that drop it"
        if row.name in world.desired.campaigns
        else "give the campaign its spec back"
    )


def _is_judged(world: World, row: CampaignRow, stone: TrashRow) -> bool:
    """Is it what rules dropped, and lies there whole, of a campaign that is not to be cleaned up?"""
    is_whole = stone.state == "trashed" and not stone.is_campaign
    return is_whole and stone.kind in _BY_RULES and not world.wants_cleanup(row)


def _why_held(world: World, draft: Draft, row: CampaignRow, stone: TrashRow) -> str | None:
    """Say why nothing asks for it to go any more; None: the rules in force still do."""
    if row.name not in world.desired.campaigns:
        return f"{row.name} has no spec any more, so everything of it stays"
    judge = _why if stone.keeps is None else _why_its_optimizer
    try:
        why = judge(world, draft, stock_of(world, row), stone)
    except MalformedRecords as error:
        why = f"that is not known: {error}"
    if why is None or (why == NO_RULE and stone.kind == "asked"):  # a person asked for it, not a rule alone
        return None
    if why == NO_RULE:
        return f"no rule asks for {stone.thing} to go any more"
    return f"the rules in force would keep {stone.thing} ({why})"


def _why(world: World, draft: Draft, stock: Stock, stone: TrashRow) -> str | None:
    """Return by which rule it would be kept, the rules of the archive apart where it was archived since."""
    row = stock.row
    begun = (segment.begun_at for segment in world.facts.segments_of(row.uid))
    by_segment = all(at < stone.trashed_at for at in begun)
    why = _judged(world, draft, stock, row, by_segment=by_segment).get(stone.sequence)
    if why is not None and _is_archived_since(row, stone):
        before = msgspec.structs.replace(row, status="paused")
        return _judged(world, draft, stock, before, by_segment=by_segment).get(stone.sequence)
    return why


def _why_its_optimizer(world: World, draft: Draft, stock: Stock, stone: TrashRow) -> str | None:
    """Return by which rule it would keep its optimizer's state, judged as above, found once in a plan."""
    row = stock.row
    if _is_archived_since(row, stone):
        row = msgspec.structs.replace(row, status="paused")
    key = (row.uid, row.status)
    if key not in draft.judged_optimizers:
        draft.judged_optimizers[key] = _optimizers(world, stock, row)
    found = draft.judged_optimizers[key]
    return NO_RULE if found is None else found.get(stone.keeps or "")


def _optimizers(world: World, stock: Stock, row: CampaignRow) -> Mapping[str, str] | None:
    """Return what would keep its optimizer's state, by digest, each with why; None: no rule is given."""
    found = wanted(world, stock, row, world.retention.spec) if world.retention is not None else None
    if found is None:
        return None
    return {one.digest: found[one.sequence] for one in stock.ledger if one.sequence in found}


def _is_archived_since(row: CampaignRow, stone: TrashRow) -> bool:
    return row.archived_at is not None and row.archived_at >= stone.trashed_at


def _judged(
    world: World, draft: Draft, stock: Stock, row: CampaignRow, *, by_segment: bool
) -> Mapping[int, str]:
    """Return what would be kept, found once in a plan."""
    key = (row.uid, row.status, by_segment)
    if key not in draft.judged:
        draft.judged[key] = _kept_of(world, stock, row, by_segment=by_segment)
    return draft.judged[key]


def _kept_of(world: World, stock: Stock, row: CampaignRow, *, by_segment: bool) -> dict[int, str]:
    """Return what would be kept of what lies in the trash, by sequence, each with why."""
    retention, lying = world.retention, _lying(world, stock)
    rules = rules_of(world, retention.spec, row) if retention is not None else Rules()
    if not rules.keeps_by_rule:
        return dict.fromkeys(lying, NO_RULE)
    records = tuple(_as_if_it_lay_there(record, lying) for record in records_of(world, stock))
    found: dict[str, list[str]] = {}
    for stretch in by_stretch(records) if by_segment else (records,):
        history = history_of(stretch)
        for at, reason in reasons_by_rule(history, rules):
            found.setdefault(history.ids[at], []).append(reason)
    return {sequence: "; ".join(found[name]) for sequence, name in lying.items() if name in found}


def _lying(world: World, stock: Stock) -> dict[int, str]:
    """Return what lies in the trash whole, by sequence, each with its name."""
    stones = world.facts.tombstones
    return {
        one.sequence: checkpoint_id(stock.row, one, gone=False)
        for one in stock.in_force.values()
        if one.damage is None
        and (stone := stones.get(one.sequence)) is not None
        and stone.state == "trashed"
        and stone.keeps is None
    }


def _as_if_it_lay_there(record: Record, lying: Mapping[int, str]) -> Record:
    name = lying.get(record.sequence)
    return record if name is None else msgspec.structs.replace(record, id=name, gone=False, complete=True)
