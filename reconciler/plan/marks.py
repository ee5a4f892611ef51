"""Pins and tags are kept with the checkpoint, not only in the YAML that may vanish.

What a person pinned or tagged is marked in the ledger and in the checkpoint's own sidecar. A mark stays when
the line that made it is gone: the rules then drop the checkpoint only as something that a person asked for,
after an approval, and it can be taken back for as long as that (`trash.asked`).
"""

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.desired.desired import Source
from reconciler.desired.retention import Retention
from reconciler.plan.actions import MarkCheckpoint
from reconciler.plan.draft import Draft
from reconciler.plan.kept import checkpoint_id
from reconciler.plan.stock import stock_of
from reconciler.plan.world import World
from state.store.marks import marks_of
from state.store.rows import LedgerRow, Marks

Wanted = tuple[Marks, str]
"""What a checkpoint is to be marked by, and the line that says so."""


def plan_marks(world: World, draft: Draft) -> None:
    """Mark the checkpoints that the specs pin or tag, where that is not known with them yet."""
    retention = world.desired.retention
    for campaign, wanted in _wanted(retention).items() if retention else ():
        row = world.facts.campaign_row(campaign)
        for one in stock_of(world, row).in_force.values() if row else ():
            name = checkpoint_id(row, one, gone=world.facts.tombstone(one) is not None) if row else ""
            if name in wanted:
                _plan_mark(draft, campaign, one, wanted[name])


def unmarked(spec: Retention, name: str, one: LedgerRow) -> list[str]:
    """Return which marks of a checkpoint no line of the specs says any more, in words."""
    marks = marks_of(one)
    gone = ["no longer pinned"] if marks.pinned and name not in spec.pins else []
    return gone + [f"no longer tagged {tag}" for tag in marks.tags if name not in spec.tags.get(tag, ())]


def _plan_mark(draft: Draft, campaign: str, one: LedgerRow, wanted: Wanted) -> None:
    known, (marks, cause) = marks_of(one), wanted
    both = Marks(pinned=known.pinned or marks.pinned, tags=tuple(sorted({*known.tags, *marks.tags})))
    if both == known:
        return
    draft.add(
        MarkCheckpoint(
            campaign=campaign,
            campaign_uid=one.campaign_uid,
            sequence=one.sequence,
            segment=None if one.is_living else one.segment,
            step=one.step,
            marks=both,
        ),
        subject=f"checkpoint/{campaign}@{one.which}",
        reason="kept with it, whatever becomes of the line",
        cause=cause,
        source="edit",
    )


def _wanted(retention: Source[Retention]) -> Mapping[str, dict[str, Wanted]]:
    """Return what the specs mark, by campaign and by the checkpoint's name."""
    found: dict[str, dict[str, Wanted]] = {}
    for name, marks, cause in _lines(retention):
        of_campaign = found.setdefault(name.partition("@")[0], {})
        before, where = of_campaign.get(name, (Marks(), cause))
        both = msgspec.structs.replace(
            before, pinned=before.pinned or marks.pinned, tags=(*before.tags, *marks.tags)
        )
        of_campaign[name] = (both, where)
    return found


def _lines(retention: Source[Retention]) -> Iterator[tuple[str, Marks, str]]:
    for place, name in enumerate(retention.spec.pins):
        yield name, Marks(pinned=True), retention.where("pins", place)
    for tag, names in retention.spec.tags.items():
        for place, name in enumerate(names):
            yield name, Marks(tags=(tag,)), retention.where("tags", tag, place)
