"""What lies in the trash and nobody asks any more to go: its campaign has no spec, or no rules. Pure.

So it is whether rules had dropped it or a line of a person's that is gone. It stays, and is in nobody's way:
no spec asks for anything that is not so, however long it lies there.
"""

from typing import Literal

import msgspec

from reconciler.plan.changes import Unasked
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept import rules_for
from reconciler.plan.keeping.optimizers import has_rules
from reconciler.plan.world import World
from state.store.rows import CampaignRow, TrashRow

_BY_RULES = ("rolled", "asked")


def is_unasked(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Does neither a rule nor a spec ask any more that it goes? Then it is named."""
    row = world.facts.campaign_row(stone.campaign)
    if row is None or not is_judged(world, row, stone):
        return False
    has_spec = row.name in world.desired.campaigns
    if has_spec and any(has_rule(world, one, stone) for one in as_judged(world, row, stone)):
        return False
    draft.unasked.append(_unasked(stone, "no-rule" if has_spec else "no-spec"))
    return True


def is_judged(world: World, row: CampaignRow, stone: TrashRow) -> bool:
    """Was it dropped by rules or a person's line, lies there whole, and wants no spec to clean up?"""
    is_whole = stone.state == "trashed" and not stone.is_campaign
    return is_whole and stone.kind in _BY_RULES and not world.wants_cleanup(row)


def as_judged(world: World, row: CampaignRow, stone: TrashRow) -> tuple[CampaignRow, ...]:
    """Return the campaign as it is and, where it was archived after the drop, as it was before that.

    Where the specs say that archives keep all their checkpoints, as it is alone.
    """
    is_archived_since = row.archived_at is not None and row.archived_at >= stone.trashed_at
    if not is_archived_since or _archives_keep_all(world):
        return (row,)
    return (row, msgspec.structs.replace(row, status="paused"))


def _archives_keep_all(world: World) -> bool:
    rules = world.retention.spec.campaigns.archived if world.retention is not None else None
    return rules is not None and not rules.delete_intermediate


def has_rule(world: World, row: CampaignRow, stone: TrashRow) -> bool:
    """Is there a rule for checkpoints of this campaign, or for optimizer states where it is one?"""
    if world.retention is None:
        return False
    spec = world.retention.spec
    return has_rules(row, spec) if stone.keeps else rules_for(spec, row).keeps_by_rule


def _unasked(stone: TrashRow, why: Literal["no-spec", "no-rule"]) -> Unasked:
    return Unasked(
        sequence=stone.sequence,
        subject=stone.subject,
        what=f"the optimizer state of {stone.thing}" if stone.keeps else stone.thing,
        thing=stone.thing,
        campaign=stone.campaign,
        why=why,
    )
