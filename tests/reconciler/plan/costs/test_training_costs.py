"""What training costs: counted where it is counted, null where nobody knows, never beyond the goal."""

import msgspec
import pytest

from reconciler.app.data.planned_queue import planned_queue, works_of
from reconciler.plan.costs.saves import num_saves, steps_of_saves, updates_by_clock
from reconciler.plan.costs.training import Work, training_cost, updates_of
from state.contract.inspection import Inspection


def cost(world_of, planned, *works: Work, case=None):
    world = world_of(case or {})
    return training_cost(world, planned(case or {}).changes, works)


def work(rows=100, updates=None, tokens=None, epochs_left=1.0) -> Work:
    return Work(rows=rows, updates=updates, tokens=tokens, epochs_left=epochs_left)


def test_updates_are_rows_through_documents_of_an_update_where_nobody_counted(world_of, planned) -> None:
    found = cost(world_of, planned, work(rows=100))
    launch = planned({}).changes[-1].action.config.training
    per_update = launch.batch_size * launch.gradient_accumulation
    assert found.updates == -(-100 // per_update)
    assert (found.tokens, found.time, found.saves_bytes) == (None, None, None)


def test_what_was_counted_counts_and_only_the_epochs_that_are_left(world_of, planned) -> None:
    works = (work(None, 10, 1000, epochs_left=1.5), work(None, 3, 7))
    assert cost(world_of, planned, *works).tokens == 1507
    assert updates_of(works, None) == 18


def test_tokens_that_are_not_counted_of_one_quest_are_unknown_in_all(world_of, planned) -> None:
    assert cost(world_of, planned, work(updates=1, tokens=5), work(updates=1)).tokens is None


def test_rows_that_are_unknown_make_updates_unknown(world_of, planned) -> None:
    assert cost(world_of, planned, work(rows=None)).updates is None


def test_no_more_is_trained_than_the_goal_allows(world_of, planned) -> None:
    specs = {"campaigns/pip/campaign-001.yaml": "id: campaign-001\ngoal: {updates: 4}\n"}
    found = cost(world_of, planned, work(None, 10, 1000), case={"specs": specs})
    assert (found.updates, found.tokens) == (4, 400)


def test_nothing_to_train_costs_nothing(world_of, planned) -> None:
    assert cost(world_of, planned) is None
    assert msgspec.json.encode(cost(world_of, planned, work())) is not None


LEARNT = {"q1": {"rows_taken": 8000}}
TRAINS_16 = "id: campaign-001\nconfig_overrides: {batch_size: 16, gradient_accumulation: 1, evaluation: {held_out: 0.004}}\n"
HALF_WAY = {
    "specs": {
        "campaigns/pip/campaign-001.yaml": TRAINS_16,
        "queue.yaml": "quests:\n  - {id: q1, skill: bin, level: 1, count: 9000, epochs: 2}\n",
    },
    "facts": {
        "active": "pip/campaign-001",
        "data": ["q1"],
        "campaigns": {
            "pip/campaign-001": {
                "jobs": {"q1": {"num_examples": 9000, "epochs": 2}},
                "checkpoints": [{"step": 500, "learnt": LEARNT}],
            }
        },
    },
}


def counted(digest: str) -> dict[str, Inspection]:
    return {"q1": Inspection(depth="full", contract="m", digest=digest, num_rows=9000, num_held_out=37)}


@pytest.mark.parametrize(
    ("is_known", "updates"),
    [
        pytest.param(True, 621, id="of 9,000 rows 37 are held out: 8,963 x 2 - 8,000, 16 an update"),
        pytest.param(False, 621, id="by the share of 0.4 % 36 are held out"),
    ],
)
def test_rows_that_are_held_out_make_no_updates(world_of, planned, is_known, updates) -> None:
    world, changes = world_of(HALF_WAY), planned(HALF_WAY).changes
    known = counted(world.facts.store.jobs[0].digest) if is_known else {}
    queue = planned_queue(world, changes, known)
    assert training_cost(world, changes, works_of(queue)).updates == updates


def test_updates_that_take_rows_of_two_epochs_are_not_counted_twice(world_of, planned) -> None:
    launch = planned({}).changes[-1].action.config.training
    per_update = launch.batch_size * launch.gradient_accumulation
    found = cost(world_of, planned, work(rows=per_update + 1, epochs_left=float(per_update)))
    assert found.updates == per_update + 1


def in_work(epochs: int):
    """Return a realm whose trainer is at the only epoch of its quest that it was ordered, and the specs."""
    quest = f"{{id: q1, skill: bin, level: 1, count: 10, epochs: {epochs}}}"
    run = {"state": "running", "alive": True, "status": {"quest_id": "q1"}, "orders": ["q1"]}
    jobs = {"q1": {"status": "processing", "start_step": 1}}
    facts = {"active": "pip/campaign-001", "data": ["q1"]}
    return {
        "specs": {"queue.yaml": f"quests:\n  - {quest}\n"},
        "facts": facts | {"campaigns": {"pip/campaign-001": {"runs": [run], "jobs": jobs}}},
    }


@pytest.mark.parametrize(("epochs", "told"), [(1, None), (3, 3)])
def test_more_epochs_of_a_quest_in_work_are_told_with_their_cost(world_of, planned, epochs, told) -> None:
    case = in_work(epochs)
    world, changes = world_of(case), planned(case).changes
    queue = planned_queue(world, changes, {})
    cost_of_all = training_cost(world, changes, works_of(queue))
    assert (queue and queue.quests[0].epochs) == told
    assert (cost_of_all is not None and cost_of_all.updates is not None) == (told is not None)


OTHER = "pip/campaign-002"


def second_campaign(*, rank: int | None = None):
    """Return a realm whose first campaign has saved, and whose second is launched now."""
    adapters = f"\nconfig_overrides: {{lora: {{rank: {rank}}}, method: lora}}" if rank else ""
    saved = {"runs": [{"end": "finished", "ended_at": "2026-01-01T00:00:00Z"}], "checkpoints": [{"step": 20}]}
    return {
        "specs": {
            "realm.yaml": f"id: lab\nactive: {OTHER}\n",
            "campaigns/pip/campaign-002.yaml": f"id: campaign-002{adapters}\n",
        },
        "facts": {
            "active": OTHER,
            "data": ["q1"],
            "campaigns": {"pip/campaign-001": saved, OTHER: {"jobs": {"q1": {"status": "queued"}}}},
        },
    }


def test_before_its_first_save_a_campaign_goes_by_one_that_saves_alike_and_says_so(world_of, planned) -> None:
    found = cost(world_of, planned, work(), case=second_campaign())
    assert (found.num_saves, found.saves_bytes) == (1, 1)
    assert found.saves_like == "pip/campaign-001@20"


def test_saves_of_another_method_say_nothing_of_its_size(world_of, planned) -> None:
    found = cost(world_of, planned, work(), case=second_campaign(rank=4))
    assert (found.saves_bytes, found.saves_like) == (None, None)


def test_a_campaign_that_has_saved_goes_by_its_own_newest(world_of, planned) -> None:
    found = cost(world_of, planned, work(), case=HALF_WAY)
    assert (found.saves_bytes is not None, found.saves_like) == (True, None)


@pytest.mark.parametrize(
    ("begin", "end", "by_clock", "saves"),
    [
        pytest.param(395, 790, None, 3, id="at 400, 600 and the end"),
        pytest.param(395, 420, None, 2, id="at 400 and the end"),
        pytest.param(0, 400, None, 2, id="the end is a multiple itself"),
        pytest.param(200, 201, None, 1, id="what lies there already is not saved again"),
        pytest.param(7, 7, None, 0, id="nothing is trained"),
        pytest.param(0, 400, 200, 2, id="the clock asks when the interval does"),
        pytest.param(395, 790, 50, 9, id="400, 450, 500, 550, 600, 650, 700, 750, 790"),
    ],
)
def test_saves_fall_on_the_multiples_counted_from_step_0(begin, end, by_clock, saves) -> None:
    assert num_saves(begin, end, 200, by_clock) == saves
    assert len(list(steps_of_saves(begin, end, 200, by_clock))) == saves


def test_the_saves_of_a_plan_are_counted_from_the_step_where_its_run_begins(world_of, planned) -> None:
    spec = "id: campaign-001\nconfig_overrides: {checkpoint: {every_updates: 200}}\n"
    saved = {"pip/campaign-001": {"checkpoints": [{"step": 395}]}}
    case = {
        "specs": {"campaigns/pip/campaign-001.yaml": spec},
        "facts": {"active": "pip/campaign-001", "campaigns": saved},
    }
    found = cost(world_of, planned, work(None, 395, 1000), case=case)
    assert (found.updates, found.num_saves) == (395, 3)


def test_the_clock_asks_after_as_many_updates_as_fit_into_its_minutes() -> None:
    assert updates_by_clock(15.0, seconds=1800.0, num_updates=100) == 50
    assert updates_by_clock(0.0, seconds=1800.0, num_updates=100) is None


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(20, (40, 80), id="of 100 more from step 20 the last 40 come after update 80"),
        pytest.param(80, None, id="the rate has come down before: the plan warns of that"),
    ],
)
def test_what_is_trained_after_the_rate_has_come_down_is_told_beforehand(
    world_of, planned, step, expected
) -> None:
    falls = "{lr_scheduler: linear, warmup_steps: 4, schedule_updates: 80, final_rate_ratio: 0.5}"
    case = {
        "specs": {"campaigns/pip/campaign-001.yaml": f"id: campaign-001\nconfig_overrides: {falls}\n"},
        "facts": {"campaigns": {"pip/campaign-001": {"checkpoints": [{"step": step}]}}},
    }
    found = cost(world_of, planned, work(None, 100, 1000), case=case).at_floor
    assert (found and (found.updates, found.since)) == expected
    assert found is None or (found.rate, found.cause) == (0.001, "specs/campaigns/pip/campaign-001.yaml:2")
    assert cost(world_of, planned, work(None, 80 - step, 1000), case=case).at_floor is None
