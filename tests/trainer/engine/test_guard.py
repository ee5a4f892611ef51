"""The loss guard, as a table: which losses are jumps, what is forgotten, how many may be left out."""

import math

import pytest

pytest.importorskip("torch")

from state.contract.run_config import LossGuardConfig
from trainer.checkpoints.state import GuardMemory
from trainer.engine.guard import after_loss, after_skip, highest_usual, may_skip, usual_of

SMALL = LossGuardConfig(window=8, warm_up=4, deviations=10.0, least_nats=1.0, skips=2, per_updates=100)
EAGER = LossGuardConfig(window=8, warm_up=4, least_nats=0.0)
OFF = LossGuardConfig(enabled=False, window=8, warm_up=4)


@pytest.mark.parametrize(
    ("losses", "config", "expected"),
    [
        ((), SMALL, None),
        ((2.0, 2.0, 2.0), SMALL, math.log(64) + 1.0),
        ((9.0, 2.0, 2.0), SMALL, 9.0 + 1.0),
        ((2.0,), EAGER, math.log(64) + 1.0),
        ((2.0, 2.0, 2.0, 2.0), SMALL, 3.0),
        ((2.0, 2.1, 1.9, 2.0), SMALL, 2.0 + 1.0),
        ((1.0, 3.0, 1.0, 3.0), SMALL, 2.0 + 10 * 1.4826),
        ((2.0, 2.0, 2.0, 2.0, 2.0, 90.0, 80.0), SMALL, 3.0),
        ((2.0, 2.0, 2.0, 2.0), OFF, None),
        ((2.0,) * 8, LossGuardConfig(window=8, warm_up=32, least_nats=1.0), 3.0),
    ],
    ids=[
        "nothing known",
        "warming up: worse than guessing",
        "warming up: worse than it began",
        "warming up: a model that knows nothing scatters",
        "all alike: least_nats",
        "nearly alike: least_nats",
        "scattered: deviations",
        "a few wild ones move nothing",
        "off",
        "a warm-up beyond the window ends with it",
    ],
)
def test_what_is_usual(losses: tuple[float, ...], config: LossGuardConfig, expected: float | None) -> None:
    found = highest_usual(losses, config, 64)
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-12))


def test_the_guard_remembers_the_latest_losses_of_one_quest() -> None:
    memory = GuardMemory()
    for loss in range(12):
        memory = after_loss(memory, "q1", float(loss), SMALL)
    assert usual_of(memory, "q1") == (4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0)
    assert usual_of(memory, "q2") == ()


def test_another_quest_is_judged_apart_and_so_is_the_one_that_is_gone_back_to() -> None:
    memory = GuardMemory()
    for quest in ("q1", "q1", "q2", "q1"):
        memory = after_loss(memory, quest, 1.0, SMALL)
    assert usual_of(memory, "q1") == (1.0,)


def test_a_guard_that_was_off_knows_nothing() -> None:
    memory = after_loss(after_loss(GuardMemory(), "q1", 1.0, SMALL), "q1", 1.0, OFF)
    assert usual_of(memory, "q1") == ()


@pytest.mark.parametrize(
    ("skipped", "update", "expected"),
    [((), 5, True), ((3,), 5, True), ((3, 4), 5, False), ((3, 4), 103, True), ((3, 4), 102, False)],
)
def test_so_many_updates_of_so_many_may_be_left_out(
    skipped: tuple[int, ...], update: int, expected: bool
) -> None:
    assert may_skip(GuardMemory(skipped=skipped), update, SMALL) == expected


def test_what_was_left_out_long_ago_is_forgotten() -> None:
    assert after_skip(GuardMemory(skipped=(3, 50)), 104, SMALL).skipped == (50, 104)


def test_without_a_budget_the_first_jump_ends_the_run() -> None:
    assert not may_skip(GuardMemory(), 5, LossGuardConfig(skips=0))
