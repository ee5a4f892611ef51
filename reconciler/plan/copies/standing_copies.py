"""What was moved out of the root keeps as many whole copies elsewhere as the rules want of it.

One that is damaged in the archive's place is made again there; where they have become too few, another is
made. Each is made from one that is whole, and nothing here ever deletes one.
"""

from collections.abc import Iterator

from reconciler.desired.retention import Retention
from reconciler.plan.copies.moving_out import rests_in_the_archive
from reconciler.plan.copies.places import copy_action, copy_place, is_copied, plan_wanted
from reconciler.plan.copies.second_copies import precious
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import moved_out, whole_copies
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.world import World
from state.store.rows import CampaignRow, CopyKind, LedgerRow


def plan_standing_copies(world: World, draft: Draft) -> None:
    """Copy what archived campaigns have elsewhere from one such place to another, until there are enough."""
    retention = world.retention
    if retention is None or world.is_realm_suspended or world.is_suspended(retention.spec.suspend):
        return
    for row in world.facts.store.campaigns:
        if row.uid in world.facts.moved_out and row.status == "archived" and rests_in_the_archive(world, row):
            for one, to, kind in _wanted(world, row, retention.spec):
                why = "moved out of the root: one of its copies is gone or damaged"
                cause = retention.where("archive" if kind == "archive" else "copies")
                plan_wanted(world, draft, copy_action(world, row, one, to, kind), reason=why, cause=cause)


def _wanted(world: World, row: CampaignRow, spec: Retention) -> Iterator[tuple[LedgerRow, str, CopyKind]]:
    """Yield of which checkpoint a copy is wanted where."""
    stock, min_copies = stock_of(world, row), spec.copies.min_copies if spec.copies is not None else 1
    most = precious(world, stock, spec) if min_copies > 1 else {}
    for one in moved_out(world.facts, stock):
        for to, kind in _places(world, row, one, spec, min_copies if one in most else 1):
            yield one, to, kind


def _places(
    world: World, row: CampaignRow, one: LedgerRow, spec: Retention, needed: int
) -> Iterator[tuple[str, CopyKind]]:
    """Yield the places that get a copy: the archive's if its copy is damaged, more until it is enough."""
    places: dict[str, CopyKind] = {} if spec.archive is None else {spec.archive.to: "archive"}
    for to in spec.copies.to if spec.copies is not None else ():
        places.setdefault(to, "copy")
    have, known = len(whole_copies(world.facts, one)), {x.path for x in world.facts.copies_of(one.sequence)}
    for to, kind in places.items():
        is_known = copy_place(to, row.folder_name, one.named_segment, one.step) in known
        if not is_copied(world, row, one, to) and (have < needed or (kind == "archive" and is_known)):
            have += 1
            yield to, kind
