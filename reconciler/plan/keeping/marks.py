"""Pins, tags and milestones are kept with the checkpoint, not only in the YAML that may vanish.

What a person pinned or tagged is marked in the ledger and in the checkpoint's own sidecar; what stands for a
milestone once its line is taken out or moved, until when campaign and spec know it. A mark stays when
the line that made it is gone: the rules then drop the checkpoint only as something that a person asked for,
after an approval, and it can be taken back for as long as that (`trash.asked`). So it is, too, with a tag
that no `keep_tags` names: it may be one that a typing mistake left without its rule.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from reconciler.desired.desired import Source
from reconciler.desired.retention import Retention
from reconciler.plan.actions import MarkCheckpoint
from reconciler.plan.actions.base import of_recorded
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept import checkpoint_id, rules_for
from reconciler.plan.keeping.milestones import milestone_steps, stood_for
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.world import World
from state.store.marks import marks_of
from state.store.rows import CampaignRow, LedgerRow, Marks

Wanted = tuple[Marks, str]
"""What a checkpoint is to be marked by, and the line that says so."""


def plan_marks(world: World, draft: Draft) -> None:
    """Mark the checkpoints that the specs pin or tag, or marked until now, where they do not say so yet."""
    retention = world.retention
    wanted_of = _wanted(retention) if retention else {}
    for row in world.facts.store.campaigns:
        wanted = wanted_of.get(row.name, {})
        source = world.desired.campaigns.get(row.name)
        speaks = source is not None and source.spec.milestones is not None
        if wanted or speaks:
            _plan_of_campaign(world, draft, stock_of(world, row), wanted)


def _plan_of_campaign(world: World, draft: Draft, stock: Stock, wanted: Mapping[str, Wanted]) -> None:
    row, former = stock.row, stood_for(world, stock)
    for one in stock.in_force.values() if wanted or former else ():
        found = wanted.get(checkpoint_id(row, one, gone=world.facts.dropped(one) is not None))
        if one.sequence in former:
            marks, cause = found or (Marks(), world.where(f"campaign/{row.name}", "milestones"))
            found = (msgspec.structs.replace(marks, milestones=former[one.sequence]), cause)
        if found is not None:
            _plan_mark(draft, row.name, one, found)


def unmarked(world: World, row: CampaignRow, one: LedgerRow, former: Sequence[int]) -> list[str]:
    """Return which marks of a checkpoint do not keep it, in words: their line is gone, or no rule names it.

    `former`: the milestones that it stood for until this commit; they are marked by this very plan.
    """
    spec = world.retention.spec if world.retention else Retention()
    name, marks = checkpoint_id(row, one, gone=False), marks_of(one)
    gone = ["no longer pinned"] if marks.pinned and name not in spec.pins else []
    gone += [f"no longer tagged {tag}" for tag in marks.tags if name not in spec.tags.get(tag, ())]
    gone += [f"tagged {tag}, which no keep_tags names" for tag in unkept_tags(spec, row, name)]
    steps = sorted({*marks.stood_for, *former})
    kept = milestone_steps(world, row) if steps else ()
    return gone + [f"no longer milestone {step:,}" for step in steps if step not in kept]


def unkept_tags(spec: Retention, row: CampaignRow, name: str) -> list[str]:
    """Return the tags of a checkpoint that the rules of its campaign do not keep, where they let any go."""
    rules = rules_for(spec, row)
    return [tag for tag, names in spec.tags.items() if name in names and tag not in rules.tags]


def _plan_mark(draft: Draft, campaign: str, one: LedgerRow, wanted: Wanted) -> None:
    known, (marks, cause) = marks_of(one), wanted
    both = Marks(
        pinned=known.pinned or marks.pinned,
        tags=tuple(sorted({*known.tags, *marks.tags})),
        milestones=tuple(sorted({*known.stood_for, *marks.stood_for})) or msgspec.UNSET,
    )
    if both == known:
        return
    draft.add(
        MarkCheckpoint(
            **of_recorded(campaign, one),
            marks=both,
        ),
        subject=f"checkpoint/{campaign}@{one.which}",
        reason="the mark stays with it, whatever becomes of the line",
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
