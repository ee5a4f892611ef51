"""Budgets of room: what is above one is named with numbers; rules decide what goes, a budget never does."""

from reconciler.desired.desired import Source
from reconciler.desired.realm import size_bytes
from reconciler.desired.retention import Retention
from reconciler.plan.changes import KeptNow
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept import given_for, set_name
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.world import World
from state.amounts import count, size
from state.store.rows import CampaignRow


def warn_of_budget(draft: Draft, row: CampaignRow, retention: Source[Retention], kept: KeptNow) -> None:
    """Name a campaign of which its rules keep more than its budget."""
    name = set_name(row)
    given = given_for(retention.spec, row)
    if given is None or given.max_size is None or kept.kept_bytes <= size_bytes(given.max_size):
        return
    over = size(kept.kept_bytes - size_bytes(given.max_size))
    draft.warnings.append(
        f"{retention.where('campaigns', name, 'max_size')}: {row.name} keeps "
        f"{count(kept.num_kept, 'checkpoint')}, {size(kept.kept_bytes)}: {over} above its budget "
        f"of {given.max_size}; rules and protections keep them, and none goes for a budget: "
        "keep fewer, or of older ones the weights only (keep_optimizer)"
    )


def warn_of_realm_budget(world: World, draft: Draft, retention: Source[Retention]) -> None:
    """Name a realm whose checkpoints and trash are more than its budget."""
    budget = retention.spec.max_size
    if budget is None:
        return
    rows = [row for row in world.facts.store.campaigns if row.status != "deleted"]
    lying = sum(one.size_bytes for row in rows for one in stock_of(world, row).kept)
    total = lying + world.facts.trash_bytes
    if total > size_bytes(budget):
        draft.warnings.append(
            f"{retention.where('max_size')}: the realm holds {size(total)}: {size(lying)} of checkpoints and "
            f"{size(world.facts.trash_bytes)} in the trash, {size(total - size_bytes(budget))} above its "
            f"budget of {budget}; none goes for a budget: keep fewer, or archive campaigns "
            "with rules of their own"
        )
