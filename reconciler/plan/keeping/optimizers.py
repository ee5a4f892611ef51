"""Which of the checkpoints that are kept may lose the optimizer's state: what no rule wants to go on from.

The same rules of retention, asked about that state: `keep_optimizer` is its window of the newest. So whatever
is never dropped for a reference, a pin, a tag or its age keeps it, too; the best by a metric need not.
"""

from collections.abc import Mapping

from reconciler.desired.realm import duration_seconds
from reconciler.desired.retention import Retention
from reconciler.plan.keeping.kept import (
    by_stretch,
    given_for,
    histories_of,
    judged,
    records_of,
    references_to,
)
from reconciler.plan.keeping.stock import Stock
from reconciler.plan.retention.history import history_of
from reconciler.plan.retention.keep_rules import reasons_by_rule
from reconciler.plan.retention.rules import Rules
from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow


def without_need(world: World, stock: Stock, spec: Retention) -> list[LedgerRow]:
    """Return the checkpoints whose optimizer state nothing needs; quickly where none can be.

    Raises:
        MalformedRecords: nothing can be said; the caller demotes nothing.
    """
    rules = _rules(stock.row, spec)
    if rules is None or sum(one.has_optimizer for one in stock.kept) <= rules.last:
        return []
    references, now = tuple(references_to(world, stock.row)), world.observed_now
    going: list[set[int]] = []
    for records in histories_of(world, stock):
        sequences = {record.id: record.sequence for record in records}
        verdicts = judged(records, rules, spec.pins, references, now)
        going.append({sequences[one.id] for one in verdicts if one.decision == "drop"})
    dropped = set.intersection(*going)
    return [one for one in stock.kept if one.sequence in dropped and _may_lose_it(world, stock, one)]


def _may_lose_it(world: World, stock: Stock, one: LedgerRow) -> bool:
    """Has it that state, and nobody's mark, and no copy elsewhere, which would not be one of it any more?"""
    return (
        one.has_optimizer
        and stock.is_there(one)
        and not one.marks_json
        and not world.facts.copies_of(one.sequence)
    )


def has_rules(row: CampaignRow, spec: Retention) -> bool:
    """Do the specs say which of the campaign's checkpoints keep their optimizer state?"""
    return _rules(row, spec) is not None


def wanted(world: World, stock: Stock, row: CampaignRow, spec: Retention) -> Mapping[int, str]:
    """Return whose optimizer state a rule asks to keep, by sequence, each with why.

    Raises:
        MalformedRecords: nothing can be said.
    """
    rules = _rules(row, spec) or Rules()
    found: dict[int, str] = {}
    for stretch in by_stretch(records_of(world, stock)):
        history = history_of(stretch)
        for at, reason in reasons_by_rule(history, rules):
            found.setdefault(history.records[at].sequence, reason)
    return found


def _rules(row: CampaignRow, spec: Retention) -> Rules | None:
    given = given_for(spec, row)
    if given is None or (given.keep_optimizer is None and given.keep_optimizer_within is None):
        return None
    within = given.keep_optimizer_within
    return Rules(
        last=given.keep_optimizer or 0,
        within_seconds=duration_seconds(within) if within is not None else None,
        tags=tuple(sorted(spec.tags)),
        minimum_age_seconds=duration_seconds(spec.minimum_age),
    )
