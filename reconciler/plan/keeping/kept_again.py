"""What lies in the trash though the rules in force would keep it: it stays until a person has decided.

Checkpoints are judged as if nothing that lies in the trash whole had gone. By rules that nobody changed that
says of each what was said when it was dropped: what lies there is older than what stayed. What moves without
a word of the rules is not judged by: a segment that was begun since (what it left counts as living still, or
another would be the newest of a stretch), the archive's rules where the campaign was archived since, and
which held-out rows are the newest, where an earlier quest was gone on with since.
"""

from collections.abc import Mapping, Sequence

import msgspec

from reconciler.plan.actions import RestoreCampaign
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept import by_stretch, checkpoint_id, records_of, rules_of, set_name
from reconciler.plan.keeping.optimizers import wanted
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.keeping.unasked import as_judged, has_rule, is_judged
from reconciler.plan.retention.history import history_of
from reconciler.plan.retention.keep_rules import reasons_by_rule
from reconciler.plan.retention.protections import NO_RULE
from reconciler.plan.retention.records import MalformedRecords, Record
from reconciler.plan.retention.rules import Rules
from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow, SegmentRow, TrashRow

_NOT_KNOWN_WHEN = "it was dropped before its segment began, says the clock"


def is_kept_again(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Would the rules in force keep it? Then that is named; half deleted already, it is not."""
    row = world.facts.campaign_row(stone.campaign)
    if row is None or not is_judged(world, row, stone):
        return False
    why = _why_kept(world, draft, row, stone)
    if why is not None:
        what = "its optimizer state" if stone.keeps else "it"
        draft.block(
            stone.subject,
            code="protected-in-the-trash",
            message=f"{why}, and {what} lies in the trash, where it stays",
            cause=rules_line(world, row),
            hint=f"reconcile undelete {stone.thing} takes it back; or write rules that drop it",
        )
    return why is not None


def goes_once_restored(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Do the rules ask for it to go once this plan has restored its campaign? Then that is told before.

    The plan after the restore deletes it, where its time is over; this one does not.
    """
    row = world.facts.campaign_row(stone.campaign)
    if row is None or not is_judged(world, row, stone) or not _is_restored(draft, row):
        return False
    try:
        goes = _why(world, draft, stock_of(world, row), as_restored(row), stone) is None
    except MalformedRecords:
        return False  # `is_kept_again` names that
    if goes:
        draft.once_restored.append(stone)
    return goes


def as_restored(row: CampaignRow) -> CampaignRow:
    """Return an archived campaign as it is once it is restored."""
    return msgspec.structs.replace(row, status="paused", archived_at=None)


def _is_restored(draft: Draft, row: CampaignRow) -> bool:
    return any(action.campaign_uid == row.uid for action in draft.actions(RestoreCampaign))


def rules_line(world: World, row: CampaignRow) -> str:
    """Return file and line of the rules for a campaign, or the file that could have some."""
    retention = world.retention
    return retention.where("campaigns", set_name(row)) if retention else "specs/retention.yaml"


def _why_kept(world: World, draft: Draft, row: CampaignRow, stone: TrashRow) -> str | None:
    """Say what would keep it now; None: the rules in force ask for it to go."""
    stock = stock_of(world, row)
    try:
        whys = [_why(world, draft, stock, one, stone) for one in as_judged(world, row, stone)]
    except MalformedRecords as error:
        return f"that is not known: {error}"
    if None in whys:
        return None
    by_a_rule = next((why for why in whys if why != NO_RULE), NO_RULE)
    return f"the rules in force would keep {stone.thing} ({by_a_rule})"


def _why(world: World, draft: Draft, stock: Stock, row: CampaignRow, stone: TrashRow) -> str | None:
    """Return which rule of the campaign, as it is or was, would keep it; None: it goes by them."""
    if not has_rule(world, row, stone):
        return NO_RULE
    if stone.keeps is not None:
        return _optimizers(world, draft, stock, row).get(stone.keeps)
    since = tuple(one for one in world.facts.segments_of(row.uid) if one.begun_at > stone.trashed_at)
    return _judged(world, draft, stock, row, since).get(stone.sequence)


def _optimizers(world: World, draft: Draft, stock: Stock, row: CampaignRow) -> Mapping[str, str]:
    """Return what would keep its optimizer's state, by digest, each with why; found once in a plan."""
    key = (row.uid, row.status)
    if key not in draft.judged_optimizers:
        found = wanted(world, stock, row, world.retention.spec) if world.retention is not None else {}
        by_digest = {one.digest: found[one.sequence] for one in stock.ledger if one.sequence in found}
        draft.judged_optimizers[key] = by_digest
    return draft.judged_optimizers[key]


def _judged(
    world: World, draft: Draft, stock: Stock, row: CampaignRow, since: Sequence[SegmentRow]
) -> Mapping[int, str]:
    """Return what would be kept, found once in a plan."""
    key = (row.uid, row.status, len(since))
    if key not in draft.judged:
        draft.judged[key] = _kept_of(world, stock, row, since)
    return draft.judged[key]


def _kept_of(world: World, stock: Stock, row: CampaignRow, since: Sequence[SegmentRow]) -> dict[int, str]:
    """Return what would be kept of what lies in the trash, by sequence, each with why."""
    lying, rules = _lying(world, stock), _rules_of(world, row)
    records = tuple(_as_if_it_lay_there(record, lying) for record in _records_before(world, stock, since))
    found: dict[str, list[str]] = {}
    for stretch in by_stretch(records):
        history = history_of(stretch)
        for at, reason in reasons_by_rule(history, rules):
            found.setdefault(history.ids[at], []).append(reason)
    known = {record.sequence for record in records}
    unknown = {sequence: _NOT_KNOWN_WHEN for sequence in lying if sequence not in known}
    return unknown | {sequence: "; ".join(found[name]) for sequence, name in lying.items() if name in found}


def _records_before(world: World, stock: Stock, since: Sequence[SegmentRow]) -> tuple[Record, ...]:
    """Return the records as they were before these segments were begun.

    What their rollbacks left is living still, and what was saved in the segments of these is not there yet.
    """
    records, later = records_of(world, stock), [one for one in since if one.kind == "rollback"]
    if not later:
        return records
    living, numbers = stock.row.segment, {one.number for one in later}
    left = _left_since(world, stock, later)
    return tuple(
        msgspec.structs.replace(record, segment=living) if record.sequence in left else record
        for record, row in zip(records, stock.ledger, strict=True)
        if row.segment not in numbers
    )


def _left_since(world: World, stock: Stock, later: Sequence[SegmentRow]) -> set[int]:
    """Return what was living until these rollbacks, by sequence: of no branch, left by none before."""
    segments = world.facts.segments_of(stock.row.uid)
    numbers = {one.number for one in later}
    earlier = [one for one in segments if one.kind == "rollback" and one.number not in numbers]
    branches = {one.number for one in segments if one.kind == "decay"}
    return {
        one.sequence
        for one in stock.ledger
        if one.segment not in branches and _is_left_by(one, later) and not _is_left_by(one, earlier)
    }


def _is_left_by(one: LedgerRow, rollbacks: Sequence[SegmentRow]) -> bool:
    """Would one of these, had it been living, have left it: did it go on from before it?"""
    return not one.is_living and any(
        one.segment < back.number and one.step > back.parent_step for back in rollbacks
    )


def _rules_of(world: World, row: CampaignRow) -> Rules:
    """Return the campaign's rules. The newest held-out rows are not judged by: training alone moves them."""
    if world.retention is None:
        return Rules()
    rules = rules_of(world, world.retention.spec, row)
    best = [msgspec.structs.replace(one, of_held_out_rows=False) for one in rules.best]
    return msgspec.structs.replace(rules, best=tuple(best))


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
