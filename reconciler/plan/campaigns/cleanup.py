"""Clean-up: what a person's spec wants gone of a campaign, for good. It always waits for an approval.

`keep: metrics` beside `state: archived` drops every checkpoint; metrics, logs and summary stay. What somebody
else needs is not cleaned up in parts: it is named, and everything stays until that is settled.
"""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.desired.places import Step
from reconciler.desired.realm import duration_seconds
from reconciler.desired.retention import Trash
from reconciler.plan.campaigns.overruled import overruled, taken_back_before
from reconciler.plan.campaigns.starts import named_starts
from reconciler.plan.copies.export_first import Obstacle, export_first
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.milestones import milestone_steps
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.keeping.suspended import suspension_of
from reconciler.plan.suspensions import how_to_lift
from reconciler.plan.trash.drops import plan_drop, way_out, why_on_hold
from reconciler.plan.trash.taken import block_taken
from reconciler.plan.world import World
from state.campaign_file import first_at_or_after
from state.store.rows import CampaignRow, LedgerRow

_MOST_NAMED = 5


def plan_cleanups(world: World, draft: Draft) -> None:
    """Drop every checkpoint of the archived campaigns whose specs keep only the metrics."""
    starts = named_starts(world) if any(s.spec.keep for s in world.desired.campaigns.values()) else {}
    for row in world.facts.store.campaigns:
        is_at_rest = row.status == "archived" and world.seen(row.name).home == "home"
        if is_at_rest and _keeps_metrics_only(world, row):
            _plan_metrics_only(world, draft, stock_of(world, row), starts)


def _keeps_metrics_only(world: World, row: CampaignRow) -> bool:
    source = world.desired.campaigns.get(row.name)
    return source is not None and source.spec.keep == "metrics"


def _to_drop(world: World, stock: Stock) -> Iterator[LedgerRow]:
    """Yield what lies there of the campaign; what was taken back while the line stood is let alone."""
    back = {one.sequence for one in overruled(world, stock)}
    for one in stock.ledger:
        if stock.is_there(one) and world.facts.tombstone(one) is None and one.sequence not in back:
            yield one


def names_of(stock: Stock, rows: Sequence[LedgerRow]) -> str:
    """Return checkpoints of a campaign as people call them; of many the first few."""
    more = f" and {len(rows) - _MOST_NAMED:,} more" if len(rows) > _MOST_NAMED else ""
    return ", ".join(f"{stock.row.name}@{one.which}" for one in rows[:_MOST_NAMED]) + more


def said_before(stock: Stock, rows: Sequence[LedgerRow]) -> str:
    """Return in words what a clean-up takes that a person took back before its line was written."""
    return f"{names_of(stock, rows)}, too, which a person took back before this line was written"


def _plan_metrics_only(world: World, draft: Draft, stock: Stock, starts: Mapping[str, str]) -> None:
    row, found = stock.row, list(_to_drop(world, stock))
    cause = world.where(f"campaign/{row.name}", "keep")
    if back := overruled(world, stock):
        draft.warnings.append(
            f"{cause}: keep: metrics leaves {names_of(stock, back)}, which a person took back while this "
            "line stood; to let it go, too: take the line out, apply, and write it again"
        )
    if before := taken_back_before(world, stock):
        draft.warnings.append(f"{cause}: keep: metrics takes {said_before(stock, before)}")
    if not found:
        return
    obstacles = list(obstacles_to(world, draft, stock, found, starts))
    for obstacle in obstacles:
        draft.block(
            f"campaign/{row.name}",
            code=obstacle.code,
            message=f"its checkpoints stay: {obstacle.message}",
            cause=obstacle.cause,
            hint=obstacle.hint,
        )
    if not obstacles:
        grace = asked_grace_seconds(world)
        why = f"its spec says keep: metrics{_milestones_among(world, row, found)}"
        for one in found:
            if not block_taken(world, draft, row, one, cause):
                plan_drop(draft, row, one, why, grace, cause, kind="asked")


def _milestones_among(world: World, row: CampaignRow, found: Sequence[LedgerRow]) -> str:
    """Name the milestones whose checkpoints go too; a clean-up does not ask the rules."""
    stands_for = ((step, first_at_or_after(found, step)) for step in milestone_steps(world, row))
    names = [f"{step:,} (@{one.which})" for step, one in stands_for if one is not None]
    if not names:
        return ""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    go = "goes" if len(names) == 1 else "go"
    return f"; milestone{'' if len(names) == 1 else 's'} {', '.join(names[:_MOST_NAMED])}{more} {go} too"


def asked_grace_seconds(world: World) -> float:
    """Return how long what a person asks to delete can be taken back."""
    retention = world.retention
    return duration_seconds((retention.spec.trash if retention is not None else Trash()).asked)


def obstacles_to(
    world: World, draft: Draft, stock: Stock, found: list[LedgerRow], starts: Mapping[str, str]
) -> Iterator[Obstacle]:
    """Yield what keeps these checkpoints of a campaign from being deleted, each with the way out.

    Where nothing else does, they are copied first to where the spec wants them.
    """
    obstacles = list(_obstacles_to(world, draft, stock, found, starts))
    yield from obstacles or export_first(world, draft, stock.row, found)


def _obstacles_to(
    world: World, draft: Draft, stock: Stock, found: list[LedgerRow], starts: Mapping[str, str]
) -> Iterator[Obstacle]:
    row, retention = stock.row, world.retention
    for one in found:
        name = f"{row.name}@{one.which}"
        if retention is not None and name in retention.spec.pins:
            where = retention_line(world, "pins", retention.spec.pins.index(name))
            yield Obstacle("pinned", f"{name} is pinned", where, "remove the pin if it may go")
        if name in starts:
            where = world.where(f"campaign/{row.name}", "keep")
            hint = "delete that campaign first, or let this one be"
            yield Obstacle("is-a-starting-point", f"{name} is needed: {starts[name]}", where, hint)
    if why := why_on_hold(world, draft, stock):
        where = retention_line(world, "acknowledged_losses")
        yield Obstacle("deletion-on-hold", why, where, way_out(world, stock))
    if world.is_training(row.name):
        where = f"campaigns/{row.folder_name}/runs"
        yield Obstacle("still-training", "a trainer of it lives", where, "wait until it has left")
    if (held := suspension_of(world, row.name)) is not None:
        said, hint = f"{held.thing} is {held.suspend.words}", how_to_lift(world, held.thing)
        yield Obstacle("suspended", said, held.cause, hint)


def retention_line(world: World, *path: Step) -> str:
    """Return file and line of a key of the rules, or the file that could have it."""
    retention = world.retention
    return retention.where(*path) if retention is not None else "specs/retention.yaml"
