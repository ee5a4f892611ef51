"""Numbers of configs and launches around live changes: no run key is ever planned twice."""

from typing import Any

import pytest

from reconciler.plan.actions import GiveOrders, LaunchRun

ENDED = {"state": "ended", "end": "lost", "ended_at": "2025-12-31T00:00:00Z", "last_checkpoint_step": 500}
RUNNING = {"state": "running", "alive": True, "status": {"quest_id": "q1"}, "orders": ["q1"]}
OTHER_RATE = {"training.learning_rate": 0.001}


def case_of(*runs: dict[str, Any]) -> dict[str, Any]:
    campaign = {
        "checkpoints": [{"step": 500, "learnt": {"q1": {"rows_taken": 5}}}],
        "runs": list(runs),
        "jobs": {"q1": {"status": "queued", "start_step": 1}},
    }
    return {
        "facts": {"active": "pip/campaign-001", "data": ["q1"], "campaigns": {"pip/campaign-001": campaign}}
    }


@pytest.mark.parametrize(
    ("runs", "key"),
    [
        ([], (1, 1)),
        ([{**ENDED, "generation": 1, "attempt": 1}], (1, 2)),
        ([{**ENDED, "generation": 1, "attempt": 1, "trained_with": OTHER_RATE}], (2, 1)),
        (
            [{**ENDED, "generation": 1, "attempt": 1, "trained_with": OTHER_RATE, "told": {"generation": 3}}],
            (3, 1),
        ),
        ([{**ENDED, "generation": 1, "attempt": 1, "told": {"generation": 3, "with": OTHER_RATE}}], (4, 1)),
        (
            [
                {
                    **ENDED,
                    "generation": 1,
                    "attempt": 1,
                    "trained_with": OTHER_RATE,
                    "told": {"generation": 3},
                },
                {**ENDED, "generation": 3, "attempt": 1},
            ],
            (3, 2),
        ),
    ],
    ids=[
        "first launch",
        "another attempt",
        "a changed config",
        "the config of a live change",
        "another config after a live change",
        "another attempt at a live change's config",
    ],
)
def test_the_next_launch_has_a_key_of_its_own(planned, runs, key: tuple[int, int]) -> None:
    plan = planned(case_of(*runs))
    (launch,) = (change.action for change in plan.changes if isinstance(change.action, LaunchRun))
    assert (launch.generation, launch.attempt) == key


@pytest.mark.parametrize(
    ("run", "generation"),
    [
        ({"trained_with": OTHER_RATE}, 2),
        ({"generation": 4, "trained_with": OTHER_RATE}, 5),
        ({"told": {"generation": 7, "with": OTHER_RATE}}, 8),
        ({"trained_with": OTHER_RATE, "told": {"generation": 7, "given": False}}, 7),
    ],
    ids=["first change", "of a later generation", "after another live change", "made good after a kill"],
)
def test_a_live_change_takes_the_next_number_and_leaves_the_run_its_key(
    planned, run, generation: int
) -> None:
    before = {"generation": 1, "attempt": 1, **RUNNING, **run}
    plan = planned(case_of(before))
    (orders,) = (change.action for change in plan.changes if isinstance(change.action, GiveOrders))
    assert orders.config.generation == generation
    assert (orders.generation, orders.attempt) == (before["generation"], 1)
    assert orders.config.config.training.learning_rate == 0.002


def test_new_quests_for_a_run_carry_the_config_that_is_in_force(planned) -> None:
    case = case_of({"generation": 1, "attempt": 1, **RUNNING, "orders": [], "told": {"generation": 2}})
    (orders,) = (one.action for one in planned(case).changes if isinstance(one.action, GiveOrders))
    assert (len(orders.job_uids), orders.config.generation) == (1, 2)
