"""What each change costs: together they are what the plan costs in all."""

import pytest
from case_runs import with_run

from reconciler.app.data.planned_queue import planned_queue, works_of
from reconciler.plan.actions import EnqueueJob, LaunchRun, PurgeTrash
from reconciler.plan.costs.each import costs_of_each
from reconciler.plan.costs.memory import memory_of
from reconciler.plan.costs.training import Work, training_cost, training_of_each

QUEUE = (
    "quests:\n"
    "  - {id: q1, skill: bin, level: 1, count: 160}\n"
    "  - {id: q2, skill: bin, level: 1, count: 3200, seed: 2}\n"
)
TWO = {"specs": {"queue.yaml": QUEUE}}
SAVED = {
    "specs": {"queue.yaml": QUEUE},
    "facts": {
        "active": "pip/campaign-001",
        "campaigns": {"pip/campaign-001": {"checkpoints": [{"step": 100}]}},
    },
}


@pytest.fixture
def told(world_of, planned):
    """Return plan, cost of all and costs by change of a case."""

    def make(case, *, has_run=False):
        world, plan = world_of(case), planned(case)
        if has_run:
            world = with_run(world, next(c.action for c in plan.changes if isinstance(c.action, LaunchRun)))
        works = works_of(planned_queue(world, plan.changes, {}))
        each = costs_of_each(world, plan.changes, works, memory_of(world_of(case).facts, plan.changes))
        return plan, training_cost(world, plan.changes, works), each

    return make


def test_each_quest_has_its_own_updates_time_energy_and_saves_and_they_add_up(told) -> None:
    plan, whole, each = told(SAVED, has_run=True)
    queued = [each[change.id] for change in plan.changes if isinstance(change.action, EnqueueJob)]
    trained = [cost.training for cost in queued]
    assert sum(one.updates for one in trained) == whole.updates
    assert sum(one.num_saves for one in trained) == whole.num_saves
    assert (
        sum(one.saves_bytes for one in trained) == whole.saves_bytes == sum(c.disk.adds_bytes for c in queued)
    )
    assert sum(one.time.seconds for one in trained) == pytest.approx(whole.time.seconds)
    assert sum(one.energy.joules for one in trained) == pytest.approx(whole.energy.joules)
    assert all(one.time.low_seconds < one.time.seconds < one.time.high_seconds for one in trained)


def test_the_launch_has_its_memory_and_nothing_of_what_the_quests_cost(told) -> None:
    plan, _, each = told(TWO)
    cost = next(each[one.id] for one in plan.changes if isinstance(one.action, LaunchRun))
    assert (cost.memory.campaign, cost.training, cost.disk) == ("pip/campaign-001", None, None)


def test_a_goal_ends_the_costs_of_the_quest_in_which_it_is_reached(world_of, planned) -> None:
    case = {"specs": {"campaigns/pip/campaign-001.yaml": "id: campaign-001\ngoal: {updates: 12}\n"}}
    works = [Work(rows=None, updates=10, tokens=100, epochs_left=1.0) for _ in range(3)]
    found = training_of_each(world_of(case), planned(case).changes, works)
    assert [(one.updates, one.tokens) for one in found] == [(10, 100), (2, 20), (0, 0)]


def test_what_follows_a_quest_that_nobody_can_count_is_counted_alone(world_of, planned) -> None:
    works = [
        Work(rows=None, updates=None, tokens=None, epochs_left=1.0),
        Work(rows=None, updates=7, tokens=9, epochs_left=1.0),
    ]
    found = training_of_each(world_of({}), planned({}).changes, works)
    assert [(one.updates, one.num_saves) for one in found] == [(None, None), (7, None)]


def test_what_frees_room_says_how_much_each(world_of, planned) -> None:
    stones = [{"checkpoint": f"pip/campaign-001@{step}", "sequence": step // 10} for step in (10, 20)]
    case = {
        "specs": {"retention.yaml": "campaigns: {active: {keep_checkpoints: 1}}\n"},
        "facts": {
            "store": {"observed_seconds": 720000.0, "clean_ticks": 9},
            "campaigns": {"pip/campaign-001": {"lost_checkpoints": [10, 20], "checkpoints": [{"step": 30}]}},
            "trash": stones,
        },
    }
    changes = planned(case).changes
    each = costs_of_each(world_of(case), changes, ())
    purged = [change for change in changes if isinstance(change.action, PurgeTrash)]
    assert len(purged) == 2
    assert [each[one.id].disk.frees_now_bytes for one in purged] == [one.action.size_bytes for one in purged]
