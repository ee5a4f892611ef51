"""The learning rate as a function of the update's number."""

import pytest
from builders import a_training

from state.contract.request import DecayBranch
from trainer.engine.schedule import decay_factor, rate_factor, with_falling_rates


@pytest.mark.parametrize(
    ("update", "warmup", "share"),
    [(1, 4, 0.25), (3, 4, 0.75), (4, 4, 1.0), (5, 4, 1.0), (10**9, 4, 1.0), (1, 0, 1.0), (1, 1, 1.0)],
)
def test_the_rate_rises_linearly_and_then_stays(update: int, warmup: int, share: float) -> None:
    assert rate_factor(update, a_training(warmup_steps=warmup)) == share


@pytest.mark.parametrize(
    ("scheduler", "update", "share"),
    [
        ("linear", 2, 0.5), ("linear", 4, 1.0), ("linear", 9, 0.6), ("linear", 14, 0.2), ("linear", 10**9, 0.2),
        ("cosine", 2, 0.5), ("cosine", 4, 1.0), ("cosine", 9, 0.6), ("cosine", 14, 0.2), ("cosine", 10**9, 0.2),
        ("cosine", 5, 0.2 + 0.8 * 0.9755282581475768),
    ],
)  # fmt: skip
def test_a_falling_rate_is_down_at_the_end_of_its_schedule_and_stays(
    scheduler: str, update: int, share: float
) -> None:
    training = a_training(lr_scheduler=scheduler, warmup_steps=4, schedule_updates=14, final_rate_ratio=0.2)
    assert rate_factor(update, training) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("scheduler", ["linear", "cosine"])
def test_a_falling_rate_never_rises_after_the_warm_up(scheduler: str) -> None:
    training = a_training(lr_scheduler=scheduler, warmup_steps=0, schedule_updates=50, final_rate_ratio=0.1)
    rates = [rate_factor(update, training) for update in range(1, 80)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[0] > 0.97, rates[-1]) == (True, pytest.approx(0.1))


@pytest.mark.parametrize(
    ("update", "share"), [(20, 1.0), (21, 0.1 + 0.9 * 0.5), (24, 0.1), (30, 0.1), (10, 1.0)]
)
def test_the_rate_of_a_branch_falls_from_its_parent_to_its_last_update(update: int, share: float) -> None:
    branch = DecayBranch(start_step=20, updates=4, final_ratio=0.1)
    assert decay_factor(update, branch) == pytest.approx(share, abs=1e-12)


def test_both_rates_of_a_branch_fall_and_without_one_nothing_changes() -> None:
    training, branch = (
        a_training(learning_rate=0.4, muon_learning_rate=0.8),
        DecayBranch(start_step=0, updates=1, final_ratio=0.25),
    )
    fallen = with_falling_rates(training, branch, 1)
    assert (fallen.learning_rate, fallen.muon_learning_rate) == (0.1, 0.2)
    assert with_falling_rates(training, None, 1) is training
    assert with_falling_rates(a_training(), branch, 1).muon_learning_rate is None


def test_a_steady_schedule_stays_after_its_warm_up() -> None:
    assert rate_factor(10**9, a_training(lr_scheduler="wsd", warmup_steps=4)) == 1.0
