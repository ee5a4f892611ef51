"""How long training takes, from runs alike that are over: the interval holds what it says."""

import math
import random

import msgspec
import pytest

from reconciler.plan.costs.pace import Expected, expected, expected_energy, key_of, runs_alike
from reconciler.plan.costs.training import expectations_kept
from state.contract.run_config import RunConfig
from state.store.rows import RunRow


@pytest.fixture
def config(planned) -> RunConfig:
    return next(
        change.action.config for change in planned({}).changes if type(change.action).__name__ == "LaunchRun"
    )


def run(config: RunConfig, number: int = 1, **fields: object) -> RunRow:
    """Return a run that is over: 100 updates of 50 tokens in 20 seconds."""
    row = RunRow(
        campaign_uid="u", generation=1, attempt=number, state="ended", cookie="c", config_hash="h",
        config_json=msgspec.json.encode(config).decode(), code_version="v", specs_commit="c", device="cpu",
        resume_step=None, launched_at=f"2026-01-31T{number:02d}:00:00Z",
        ended_at=f"2026-01-31T{number:02d}:30:00Z",
        num_updates=100, num_tokens=5000, busy_seconds=20.0,
    )  # fmt: skip
    return msgspec.structs.replace(row, **fields)


def seconds(rows: list[RunRow], updates: float = 100, tokens: float | None = 5000) -> Expected:
    found = expected(rows, updates, tokens)
    assert found is not None
    return found


def test_twice_the_tokens_take_twice_the_time(config) -> None:
    assert seconds([run(config)]).seconds == pytest.approx(20.0)
    assert seconds([run(config)], tokens=10_000).seconds == pytest.approx(40.0)


def test_tokens_that_nobody_counted_are_replaced_by_updates(config) -> None:
    assert seconds([run(config)], updates=50, tokens=None).seconds == pytest.approx(10.0)
    assert seconds([run(config, num_tokens=0)], updates=50, tokens=1.0).seconds == pytest.approx(10.0)


def test_updates_whose_tokens_nobody_counted_may_take_several_times_as_long(config) -> None:
    one = seconds([run(config)], updates=100, tokens=None)
    reach = 1.638 * math.hypot(0.15 * math.sqrt(2), 1.0)
    assert (one.low_seconds, one.high_seconds) == (
        pytest.approx(20 * math.exp(-reach)),
        pytest.approx(20 * math.exp(reach)),
    )


def test_of_one_run_the_interval_is_that_of_the_prior_alone(config) -> None:
    one = seconds([run(config)])
    reach = 1.638 * 0.15 * math.sqrt(2)
    assert (one.low_seconds, one.high_seconds) == (
        pytest.approx(20 * math.exp(-reach)),
        pytest.approx(20 * math.exp(reach)),
    )


def test_more_runs_alike_make_the_interval_narrower_and_unlike_ones_wider(config) -> None:
    def width(rows: list[RunRow]) -> float:
        found = seconds(rows)
        return found.high_seconds / found.low_seconds

    alike = [run(config, n) for n in range(1, 9)]
    spread = [run(config, n, busy_seconds=20.0 * 1.5**n) for n in range(1, 9)]
    assert width(alike) < width(alike[:2]) < width(alike[:1]) < width(spread)


@pytest.mark.parametrize(
    ("spread", "least", "most"), [(0.05, 0.85, 1.0), (0.15, 0.74, 0.9), (1.0, 0.0, 0.72)]
)
def test_four_of_five_runs_take_a_time_inside_where_they_spread_as_the_prior_says(
    config, spread: float, least: float, most: float
) -> None:
    dice, inside = random.Random(7), 0
    for _ in range(400):
        paces = [math.exp(dice.gauss(0, spread)) for _ in range(4)]
        rows = [run(config, n + 1, busy_seconds=20 * pace) for n, pace in enumerate(paces[:3])]
        found = seconds(rows)
        inside += found.low_seconds <= 20 * paces[3] <= found.high_seconds
    assert least <= inside / 400 <= most


def test_only_runs_of_this_model_settings_and_kind_of_device_that_are_over_count(config) -> None:
    key = key_of(config, "cpu")
    others = [
        run(config, 2, device="cuda:0"),
        run(config, 3, num_updates=9),
        run(config, 4, ended_at=None),
        run(config, 5, busy_seconds=None, num_updates=None),
        run(config, 6, config_json="{}"),
    ]
    assert runs_alike([run(config, 1), *others], key) == (run(config, 1),)
    assert runs_alike([run(config, 1), run(config, 8)], key, before="2026-01-31T02:00:00Z") == (
        run(config, 1),
    )


def test_without_a_run_alike_nothing_is_guessed(config) -> None:
    assert expected([], 100, 5000) is None


def test_how_often_expectations_held_is_counted_over_the_runs_that_had_one(world_of, config) -> None:
    def of(busy: float) -> RunRow:
        return run(
            config,
            busy_seconds=busy,
            expected_seconds=20.0,
            expected_low_seconds=15.0,
            expected_high_seconds=25.0,
        )

    world = world_of({})
    store = msgspec.structs.replace(world.facts.store, runs=(of(20.0), of(30.0), of(16.0), run(config)))
    facts = msgspec.structs.replace(world.facts, store=store)
    kept = expectations_kept(msgspec.structs.replace(world, facts=facts))
    assert (kept.num_runs, kept.num_inside) == (3, 2)


def test_energy_is_expected_from_the_runs_alike_that_measured_it_and_from_no_others(config) -> None:
    found = expected_energy([run(config, energy_joules=4000.0), run(config, 2)], 200, 10_000)
    assert found is not None
    assert (found.joules, found.num_runs) == (pytest.approx(8000.0), 1)
    assert found.low_joules < 8000.0 < found.high_joules
    assert expected_energy([run(config)], 200, 10_000) is None
