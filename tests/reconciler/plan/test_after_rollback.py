"""What a plan says of the launch after a rollback is what the next plan launches, and it has its cost."""

import pytest

from reconciler.app.data.known_data import known_of_queue
from reconciler.app.data.planned_queue import planned_queue, works_of
from reconciler.plan.actions import BeginSegment, LaunchRun, StopRun
from reconciler.plan.costs.memory import memory_of
from reconciler.plan.costs.training import training_cost
from reconciler.plan.runs.after_rollback import after_rollback
from state.layout import Layout

REWIND = {"campaigns/pip/campaign-001.yaml": "id: campaign-001\nrewind: {to: 10, reason: it was better}\n"}
RUN = {"launched_at": "2026-01-31T11:00:00Z", "resume_step": 0}
OVER = {**RUN, "end": "finished", "ended_at": "2026-01-31T11:30:00Z", "last_checkpoint_step": 30}
AT_WORK = {
    **RUN,
    "state": "running",
    "alive": True,
    "orders": ["q1"],
    "status": {"quest_id": "q1", "step": 35},
}
AT_10 = {"step": 10, "learnt": {"q1": {"rows_taken": 3}}}
LEARNT = {"q1": {"epochs_done": 1, "rows_taken": 0}}


def case(job, *, run=OVER, specs=REWIND, is_back=False):
    """Return a world before the rollback, or after it."""
    aside = {"segment": 1, "aside": True} if is_back else {}
    campaign = {
        "checkpoints": [AT_10, {"step": 20, **aside}, {"step": 30, "learnt": LEARNT, **aside}],
        "jobs": {"q1": job},
        "runs": [run],
    }
    if is_back:
        campaign |= {"row": {"segment": 2}, "segments": [{"number": 2, "parent_step": 10}]}
    facts = {"active": "pip/campaign-001", "data": ["q1"], "campaigns": {"pip/campaign-001": campaign}}
    return {"specs": specs, "facts": facts}


BEFORE = case({"status": "completed", "start_step": 1})
WHILE_AT_WORK = case({"status": "completed", "start_step": 1}, run=AT_WORK)
AFTER = case({"status": "queued", "start_step": 1}, is_back=True)


def test_the_launch_that_is_told_is_exactly_what_the_next_plan_launches(planned, world_of):
    plan = planned(BEFORE)
    assert [type(change.action) for change in plan.changes] == [BeginSegment]
    then, launches = after_rollback(world_of(BEFORE), plan.changes)
    assert [change.id for change in launches] == [change.id for change in planned(AFTER).changes]
    assert then.newest_checkpoint("pip/campaign-001").step == 10


@pytest.mark.parametrize("before", [BEFORE, WHILE_AT_WORK], ids=["at rest", "at work"])
def test_what_was_counted_of_the_rows_that_are_learnt_again_is_looked_up(planned, world_of, tmp_path, before):
    world, asked = world_of(before), []

    def look(questions):
        asked.extend(questions)
        return [None] * len(questions)

    known_of_queue(world, Layout(tmp_path), planned(before), look, {})
    assert [digest for _, digest in asked] == [world.facts.store.jobs[0].digest]


def test_it_costs_what_is_learnt_again_from_there(planned, world_of):
    plan = planned(BEFORE)
    assert training_cost(world_of(BEFORE), plan.changes, ()) is None
    then, launches = after_rollback(world_of(BEFORE), plan.changes)
    works = works_of(planned_queue(then, (*plan.changes, *launches), {}))
    assert [(one.rows, one.epochs_left) for one in works] == [(10, pytest.approx(0.7))]
    assert training_cost(then, launches, works).updates == 1  # 7 rows, 16 an update
    assert [one.campaign for one in memory_of(then.facts, launches)] == ["pip/campaign-001"]


def test_it_is_told_while_the_trainer_that_leaves_first_is_still_at_work(planned, world_of):
    world = case({"status": "processing", "start_step": 1}, run=AT_WORK)
    plan = planned(world)
    assert StopRun in [type(change.action) for change in plan.changes]
    (launch,) = after_rollback(world_of(world), plan.changes).launches
    assert isinstance(launch.action, LaunchRun)
    assert launch.reason == "quest q1, from step 10"


def test_nothing_follows_where_nothing_goes_back(planned, world_of):
    world = case({"status": "queued", "start_step": 1}, specs={})
    assert after_rollback(world_of(world), planned(world).changes) is None


def test_nothing_is_launched_after_a_rollback_of_a_campaign_that_a_person_holds(planned, world_of):
    held = case({"status": "completed", "start_step": 1})
    held["facts"]["campaigns"]["pip/campaign-001"]["row"] = {"hold": "pause"}
    plan = planned(held)
    assert after_rollback(world_of(held), plan.changes).launches == ()


def test_what_only_a_damaged_checkpoint_had_learnt_is_in_the_queue_again_with_its_cost(planned, world_of):
    campaign = {
        "checkpoints": [AT_10, {"step": 20, "damage": "a bit is flipped", "learnt": LEARNT}],
        "jobs": {"q1": {"status": "completed", "start_step": 1, "final_step": 20}},
    }
    facts = {"active": "pip/campaign-001", "data": ["q1"], "campaigns": {"pip/campaign-001": campaign}}
    plan, world = planned({"facts": facts}), world_of({"facts": facts})
    works = works_of(planned_queue(world, plan.changes, {}))
    assert [(one.rows, one.epochs_left) for one in works] == [(10, pytest.approx(0.7))]
    assert training_cost(world, plan.changes, works).updates == 1
