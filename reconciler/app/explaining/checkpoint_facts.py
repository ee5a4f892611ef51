"""What is known of a checkpoint: what it says itself, where it came from, whether the rules keep it."""

from collections.abc import Iterator

from reconciler.app.explaining.item_facts import Fact, item_facts
from reconciler.app.explaining.trash_facts import way_back_facts
from reconciler.app.looking.get import listing_of
from reconciler.app.planning.look import View
from reconciler.plan.keeping.kept import checkpoint_id, verdicts_of
from reconciler.plan.retention.records import MalformedRecords
from reconciler.plan.world import World

_OF_MACHINES = frozenset(
    {"hero_id", "campaign_id", "canonical_name", "ledger_version", "created_by", "segment"}
    | {"sequence", "healthy", "generation", "attempt", "linked_eval_ids"}
)
"""Fields of a checkpoint that its name says, or that are for programs."""


def checkpoint_facts(view: View, name: str) -> Iterator[Fact]:
    for item in listing_of(view, "checkpoints", name).items:
        yield from (fact for fact in item_facts(item, _OF_MACHINES))
    yield from _imported(view, name)
    yield from _verdict(view, name)
    yield from way_back_facts(view, name)


def _imported(view: View, name: str) -> Iterator[Fact]:
    """Yield where a checkpoint was taken in from, and what nobody knows of it."""
    campaign, _, step = name.partition("@")
    seen = view.facts.campaigns.get(campaign)
    for found in seen.checkpoints.complete if seen is not None else ():
        imported = found.manifest.imported
        if imported is None or str(found.step) != step:
            continue
        yield Fact(name="imported from", text=f"{imported.source} ({imported.producer})")
        if imported.unused:
            yield Fact(name="not used", text=", ".join(imported.unused))
        if imported.unknown:
            yield Fact(name="not known", text=", ".join(imported.unknown).replace("_", " "))


def _verdict(view: View, name: str) -> Iterator[Fact]:
    """Yield what retention says of a checkpoint; where it can say nothing, the plan blocks every drop."""
    row = view.facts.campaign_row(name.partition("@")[0])
    if row is None or view.desired.retention is None:
        return
    world = World(desired=view.desired, facts=view.facts, specs_commit=view.commit.id, now=view.seen_at)
    try:
        verdicts = {one.id: one for one in verdicts_of(world, row)}
    except MalformedRecords:
        return
    mine = {checkpoint_id(row, one, gone=False) for one in view.facts.ledger_of(row.uid)}
    if name in mine and (verdict := verdicts.get(name)) is not None:
        yield Fact(name="kept" if verdict.decision == "keep" else "not kept", text=", ".join(verdict.reasons))
