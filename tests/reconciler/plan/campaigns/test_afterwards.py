"""What a plan says of the drops after an archive is what the next plan drops."""

import msgspec
import pytest

from reconciler.plan.actions import ArchiveCampaign, RegisterCampaign, TrashCheckpoint
from reconciler.plan.costs.disk import cost_of
from reconciler.plan.planner import make_plan

SPECS = {
    "realm.yaml": "id: lab\n",
    "queue.yaml": "quests: []\n",
    "campaigns/pip/campaign-001.yaml": "id: campaign-001\nstate: archived\n",
    "retention.yaml": "campaigns:\n  archived: {keep_final_checkpoint: true, delete_intermediate: true}\n",
}
SHIPPED = "campaigns:\n  archived: {keep_best_checkpoint: true, keep_final_checkpoint: true, delete_intermediate: true}\n"
LOSSES = [
    {"step": step, "val_loss": loss, "recorded_at_seconds": 7100.0}
    for step, loss in ((10, 2.0), (20, 1.0), (30, 1.5), (40, 1.4))
]
"""Saved a moment ago, by observed time."""


def case(*checkpoints, specs=None, **row):
    """Return a world with one campaign; `row` is what the store says of it."""
    campaign = {"checkpoints": list(checkpoints), **({"row": row} if row else {})}
    facts = {"store": {"observed_seconds": 7200.0}, "campaigns": {"pip/campaign-001": campaign}}
    return {"specs": {**SPECS, **(specs or {})}, "facts": facts}


def dropped(changes):
    return [change.id for change in changes if isinstance(change.action, TrashCheckpoint)]


@pytest.mark.parametrize("rules", [SPECS["retention.yaml"], SHIPPED, "minimum_age: 90m\n" + SHIPPED])
def test_what_is_told_beforehand_is_exactly_what_the_next_plan_drops(planned, rules):
    specs = {"retention.yaml": rules}
    before = planned(case(*LOSSES, specs=specs))
    assert [type(change.action) for change in before.changes] == [ArchiveCampaign]
    aged = [{**one, "recorded_at_seconds": 0.0} for one in LOSSES]
    after = planned(case(*aged, specs=specs, status="archived"))
    assert dropped(before.afterwards) == dropped(after.changes) != []


def test_the_archive_itself_is_in_the_digest_and_what_goes_later_is_not(planned):
    without = {"retention.yaml": "campaigns: {}\n"}
    assert planned(case(*LOSSES)).digest == planned(case(*LOSSES, specs=without)).digest


def test_where_the_archive_keeps_everything_nothing_is_told(planned):
    keeps = {"retention.yaml": "campaigns:\n  archived: {keep_final_checkpoint: true}\n"}
    assert planned(case(*LOSSES, specs=keeps)).afterwards == ()


def test_nothing_is_told_of_a_campaign_whose_drops_are_on_hold(planned):
    assert planned(case(*LOSSES, {"step": 50, "damage": "weights: another digest"})).afterwards == ()


def test_the_cost_counts_what_goes_after_the_archive(planned, world_of):
    world = case(*LOSSES)
    plan = planned(world)
    found = cost_of(world_of(world).facts, (*plan.changes, *plan.afterwards))
    assert (found.frees_later_bytes, found.later_seconds) == (2, 3600.0)


def test_a_new_campaign_whose_folder_lies_there_already_is_archived_by_a_later_plan(world_of):
    """What lies in it is recorded first: the final metrics of the archive count it."""
    world = world_of(case(*LOSSES))
    store = msgspec.structs.replace(world.facts.store, campaigns=(), ledger=())
    facts = msgspec.structs.replace(world.facts, store=store)
    plan = make_plan(world.desired, facts, specs_commit="c" * 40, now=world.now)
    assert [type(change.action) for change in plan.changes] == [RegisterCampaign]
    assert plan.warnings == (
        "specs/campaigns/pip/campaign-001.yaml:2: pip/campaign-001 is archived by a later plan, once what lies "
        "in its folder is recorded",
    )
