"""Checkpoints that keep their weights only, as the rules say; what a kill cut short is finished first."""

from collections.abc import Collection
from typing import NamedTuple

from reconciler.desired.desired import Source
from reconciler.desired.realm import duration_seconds
from reconciler.desired.retention import Retention
from reconciler.plan.actions import DemoteCheckpoint
from reconciler.plan.actions.base import of_recorded
from reconciler.plan.changes import change_id
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept import given_for, set_name
from reconciler.plan.keeping.optimizers import without_need
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.trash.drops import add_to_trash, why_on_hold
from reconciler.plan.world import World
from state.amounts import duration
from state.contract.manifest import optimizer_bytes
from state.store.rows import CampaignRow, LedgerRow


def plan_demotions(
    world: World, draft: Draft, stock: Stock, retention: Source[Retention], dropped: Collection[int]
) -> None:
    """Let those of a campaign keep their weights only whose optimizer state no rule wants any more.

    Raises:
        MalformedRecords: nothing can be said; nothing is demoted.
    """
    for one in without_need(world, stock, retention.spec):
        if one.sequence not in dropped:
            grace = duration_seconds(retention.spec.trash.rolled)
            full = next(found for found in stock.complete if found.digest == one.digest)
            told = _Told(
                _why(stock.row, retention.spec),
                optimizer_bytes(full.manifest),
                grace,
                _cause(stock, retention),
            )
            _demote(draft, stock.row, one, told)


def _why(row: CampaignRow, spec: Retention) -> str:
    given = given_for(spec, row)
    newest = given.keep_optimizer if given is not None else None
    within = given.keep_optimizer_within if given is not None else None
    parts = [f"not of the newest {newest}"] if newest is not None else []
    parts += [f"older than the newest by {duration(duration_seconds(within))}"] if within is not None else []
    return " and ".join(parts)


def _cause(stock: Stock, retention: Source[Retention]) -> str:
    return retention.where("campaigns", set_name(stock.row))


def plan_unfinished_demotions(world: World, draft: Draft) -> bool:
    """Finish what a kill cut short before anything else is planned: its checkpoint lies in two places.

    Return whether there is such a thing; one that cannot be finished keeps nothing else waiting. One of which
    nothing was moved yet is whole in its place: while deletions wait, it waits as if it had not begun.
    """
    for stone, one in world.begun_demotions:
        row = world.facts.campaign_row(stone.campaign)
        if row is not None and (world.is_half_demoted(one) or _may_begin(world, row)):
            told = _Told(stone.reason, stone.size_bytes, stone.grace_seconds, "an earlier demotion")
            _demote(draft, row, one, told)
    found = [change for change in draft.changes if isinstance(change.action, DemoteCheckpoint)]
    given_up = [change for change in found if world.facts.failed_action(change_id(change.action)) is not None]
    return bool(found) and not given_up


def _may_begin(world: World, row: CampaignRow) -> bool:
    """Are neither source nor store in doubt, and is no checkpoint of the campaign missing or damaged?"""
    is_free = world.facts.deletions_wait_while is None
    return is_free and why_on_hold(world, Draft(), stock_of(world, row)) is None


class _Told(NamedTuple):
    """What a plan says of a demotion."""

    why: str
    size_bytes: int
    """Of the optimizer's state."""
    grace_seconds: float
    cause: str


def _demote(draft: Draft, row: CampaignRow, one: LedgerRow, told: _Told) -> None:
    add_to_trash(
        draft,
        row,
        one,
        told.cause,
        DemoteCheckpoint(
            **of_recorded(row.name, one),
            digest=one.digest,
            size_bytes=told.size_bytes,
            why=told.why,
            grace_seconds=told.grace_seconds,
        ),
    )
