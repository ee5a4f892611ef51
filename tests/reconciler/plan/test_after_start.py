"""What a plan says of the launch after a starting checkpoint is what the next plan launches, with its cost."""

import pytest

from reconciler.app.data.planned_queue import planned_queue, works_of
from reconciler.plan.actions import LaunchRun, TakeOverCheckpoint
from reconciler.plan.costs.memory import memory_of
from reconciler.plan.costs.training import training_cost
from reconciler.plan.runs.after_start import after_start

OLD, NEW = "pip/campaign-002", "pip/campaign-001"
SPECS = {
    "campaigns/pip/campaign-001.yaml": f"id: campaign-001\nstarting_checkpoint: {OLD}@40\n",
    "campaigns/pip/campaign-002.yaml": "id: campaign-002\n",
}
SOURCE = {OLD: {"checkpoints": [{"step": 30}, {"step": 40}]}}
BEFORE = {"specs": SPECS, "facts": {"active": OLD, "data": ["q1"], "campaigns": SOURCE}}


def test_the_launch_that_is_told_goes_on_from_the_step_that_is_taken_over(planned, world_of) -> None:
    plan = planned(BEFORE)
    kinds = {type(change.action) for change in plan.changes}
    assert TakeOverCheckpoint in kinds
    assert LaunchRun not in kinds
    then, (launch,) = after_start(world_of(BEFORE), plan.changes)
    assert (launch.action.campaign, launch.reason) == (NEW, "quest q1, from step 40")
    assert then.newest_checkpoint(NEW).origin.campaign == OLD
    assert then.newest_checkpoint(OLD).step == 40


def test_it_is_exactly_what_the_next_plan_launches(planned, world_of) -> None:
    source = {"campaign_uid": "u", "campaign": OLD, "segment": 1, "step": 40, "digest": "blake3:40"}
    start = {
        "step": 40,
        "digest": "blake3:x",
        "recorded_digest": "blake3:x",
        "generation": 0,
        "origin": source,
    }
    begun = {"starting_from": f"{OLD}@40", "starting_checkpoint": f"{OLD}@40", "starting_step": 40}
    there = {"row": {**begun, "starting_digest": "blake3:40"}, "checkpoints": [start], "jobs": {"q1": {}}}
    facts = {"active": NEW, "data": ["q1"], "campaigns": {**SOURCE, NEW: there}}
    (told,) = after_start(world_of(BEFORE), planned(BEFORE).changes).launches
    changes = planned({"specs": SPECS, "facts": facts}).changes
    assert [told.action] == [change.action for change in changes if isinstance(change.action, LaunchRun)]


def test_it_has_updates_and_memory(planned, world_of) -> None:
    plan = planned(BEFORE)
    then, launches = after_start(world_of(BEFORE), plan.changes)
    works = works_of(planned_queue(then, (*plan.changes, *launches), {}))
    assert training_cost(then, (*plan.changes, *launches), works).updates == 1  # 10 rows, 16 an update
    assert [one.campaign for one in memory_of(then.facts, launches)] == [NEW]


@pytest.mark.parametrize(
    "changed", [{"specs": {}}, {"specs": {**SPECS, "realm.yaml": f"id: lab\nactive: {OLD}\n"}}]
)
def test_nothing_follows_where_the_active_campaign_takes_nothing_over(planned, world_of, changed) -> None:
    case = BEFORE | changed
    assert after_start(world_of(case), planned(case).changes) is None
