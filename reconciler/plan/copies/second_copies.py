"""Copies on other disks of what a campaign must not lose: its final checkpoint, and its best by each metric.

They are made while no trainer of the campaign lives, so that each new best of a run is not copied anew, and
never deleted by this software. One that is missing or damaged does not count, and another is made.
"""

from collections.abc import Iterator
from math import isfinite

from reconciler.desired.desired import Source
from reconciler.desired.metrics import direction_of, is_of_held_out_rows
from reconciler.desired.retention import Copies, KeepBest, Retention
from reconciler.plan.actions import LaunchRun, TrashCheckpoint
from reconciler.plan.copies.places import copy_action, is_copied, plan_wanted
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import moved_out
from reconciler.plan.keeping.kept import metrics_of
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.world import World
from state.examinations import versions_now
from state.held_out_rows import newest_rows
from state.store.rows import CampaignRow, LedgerRow

Measured = list[tuple[float | None, LedgerRow]]
"""Checkpoints, each with its value of a metric."""


def plan_second_copies(world: World, draft: Draft) -> None:
    """Copy the best and the final checkpoint of every campaign at rest until there are enough of each."""
    retention = world.retention
    if retention is None or retention.spec.copies is None or world.is_suspended(retention.spec.suspend):
        return
    busy = {action.campaign for action in draft.actions(LaunchRun)}
    for row in world.facts.store.campaigns:
        if row.status == "deleted" or row.name not in world.desired.campaigns or row.name in busy:
            continue
        if world.suspension(row.name) is None and not world.is_training(row.name):
            stock = stock_of(world, row)
            for one, why in precious(world, stock, retention.spec).items():
                if stock.is_there(one):
                    _plan_one(world, draft, stock, one, why, retention)


def precious(world: World, stock: Stock, spec: Retention) -> dict[LedgerRow, str]:
    """Return the final checkpoint and the best ones of a campaign's living history, each with why.

    By held-out loss two: the best on the newest held-out rows, and the one with the lowest of all.

    Some of them may have been moved out of the root.
    """
    kept = [one for one in stock.kept if stock.is_there(one)]
    rows = [one for one in (*kept, *moved_out(world.facts, stock)) if one.is_living and one.healthy]
    if not rows:
        return {}
    examined_in = versions_now(stock.ledger)
    found = {max(rows, key=lambda one: one.sequence): "the final one"}
    for best in _metrics(spec):
        measured = [
            (value, one) for one in rows if _counts(value := metrics_of(one, examined_in).get(best.metric))
        ]
        sign = -1.0 if (best.direction or direction_of(best.metric)) == "higher" else 1.0
        for alike in (_on_newest_rows(world, stock, best, measured), measured):
            if alike:
                _, one = min(alike, key=lambda pair: (sign * (pair[0] or 0.0), -pair[1].sequence))
                found.setdefault(one, f"the best by {best.metric}")
    return found


def _on_newest_rows(world: World, stock: Stock, best: KeepBest, measured: Measured) -> Measured:
    """Return those that were measured on the held-out rows of the campaign's newest measurement."""
    if not is_of_held_out_rows(best.metric):
        return []
    measured_on = world.facts.rows_measured(stock.row.uid)
    ever = {rows: one.sequence for one in stock.ledger if one.is_living and (rows := measured_on.of(one))}
    there = {measured_on.of(one) for _, one in measured}
    newest = newest_rows(((at, rows) for rows, at in ever.items()), there)
    return [pair for pair in measured if measured_on.of(pair[1]) == newest]


def _metrics(spec: Retention) -> Iterator[KeepBest]:
    """Yield the metrics that the rules name; without any the held-out loss."""
    sets = (spec.campaigns.active, spec.campaigns.archived)
    named = [best for rules in sets if rules is not None for best in rules.keep_best]
    yield from named or [KeepBest(metric="val_loss")]


def _counts(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _plan_one(
    world: World, draft: Draft, stock: Stock, one: LedgerRow, why: str, retention: Source[Retention]
) -> None:
    copies = retention.spec.copies
    if copies is None or any(drop.sequence == one.sequence for drop in draft.actions(TrashCheckpoint)):
        return
    for to in _still_wanted(world, stock.row, one, copies):
        action, cause = copy_action(world, stock.row, one, to, "copy"), retention.where("copies")
        plan_wanted(world, draft, action, reason=f"{why} of its campaign", cause=cause)


def _still_wanted(world: World, row: CampaignRow, one: LedgerRow, copies: Copies) -> Iterator[str]:
    """Yield the folders that get a copy: the first ones without, until there are enough."""
    have = 1 + sum(is_copied(world, row, one, to) for to in dict.fromkeys(copies.to))
    for to in dict.fromkeys(copies.to):
        if have >= copies.min_copies:
            return
        if not is_copied(world, row, one, to):
            have += 1
            yield to
