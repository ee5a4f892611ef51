"""How long training takes, from runs of the same model and settings that are over. Pure.

The logarithm of the seconds for one token (or one update) is taken as normal among such runs, with a prior
for its spread, so that one run alone gives an interval too: the posterior predictive of a normal with a
scaled inverse chi-squared prior (Gelman et al., Bayesian Data Analysis, 3rd edition, sections 3.2 and 3.3).
"""

import math
from collections.abc import Iterable, Sequence

import msgspec

from state.contract.run_config import RunConfig
from state.store.rows import RunRow

LEAST_UPDATES = 10
"""Of a run that says something of the pace: the first updates are slower than the others."""
LATEST_RUNS = 20
"""Older ones say little of the machine as it is."""
_PRIOR_SPREAD = 0.15
"""Of two runs alike on one machine, as a share, before this machine is known: shared ones differ so much."""
_PRIOR_RUNS = 3
"""So many runs is that worth."""
_LEAST_SPREAD = 0.03
_UNKNOWN_LENGTH_SPREAD = 1.0
"""Of the tokens in an update, as the deviation of their logarithm, while nobody has counted them: rows of one
data set are several times as long as those of another."""
_T_90 = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372)
"""Student's t at 0.9 for 1 to 10 degrees of freedom: four of five lie between the two sides."""
_T_90_BEYOND = 1.282


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """So long some work will take: between `low` and `high` in four of five runs."""

    seconds: float
    low_seconds: float
    high_seconds: float
    num_runs: int
    """That it is learnt from."""


def runs_alike(runs: Iterable[RunRow], key: str, before: str | None = None) -> tuple[RunRow, ...]:
    """Return the latest runs of one model, settings and kind of device whose pace is known, oldest first.

    `before`: only those that were over at that time.
    """
    from state.contract.memory_alike import memory_key_of

    found = [
        run
        for run in runs
        if (run.num_updates or 0) >= LEAST_UPDATES
        and run.busy_seconds
        and run.ended_at is not None
        and (before is None or run.ended_at <= before)
        and memory_key_of(run.config_json, run.device) == key
    ]
    return tuple(sorted(found, key=lambda run: run.ended_at or "")[-LATEST_RUNS:])


def key_of(config: RunConfig, device: str) -> str:
    """Return what is equal for runs that are equally fast."""
    from state.contract.memory_alike import memory_key

    return memory_key(config, device)


def expected(alike: Sequence[RunRow], num_updates: float, num_tokens: float | None) -> Expected | None:
    """Return how long so many updates will take; None where no run alike is over.

    By tokens where they are known here and there, else by updates, which may be longer ones than theirs.
    """
    by_token = num_tokens is not None and all(run.num_tokens for run in alike)
    amount = num_tokens if by_token and num_tokens is not None else num_updates
    logs = [
        math.log((run.busy_seconds or 0.0) / ((run.num_tokens if by_token else run.num_updates) or 1))
        for run in alike
    ]
    if not logs or amount <= 0:
        return None
    middle = sum(logs) / len(logs)
    reach = _reach(logs, middle, 0.0 if by_token else _UNKNOWN_LENGTH_SPREAD)
    seconds = amount * math.exp(middle)
    return Expected(
        seconds=seconds,
        low_seconds=seconds * math.exp(-reach),
        high_seconds=seconds * math.exp(reach),
        num_runs=len(logs),
    )


class Energy(msgspec.Struct, frozen=True, kw_only=True):
    """So much energy some work will take of its GPU: between `low` and `high` in four of five runs."""

    joules: float
    low_joules: float
    high_joules: float
    num_runs: int


def expected_energy(alike: Sequence[RunRow], num_updates: float, num_tokens: float | None) -> Energy | None:
    """Return what so many updates will take of energy; None where no run alike has measured it.

    As long work takes more or less time, it takes more or less energy: the same distribution is learnt.
    """
    measured = [
        msgspec.structs.replace(run, busy_seconds=run.energy_joules) for run in alike if run.energy_joules
    ]
    found = expected(measured, num_updates, num_tokens)
    if found is None:
        return None
    return Energy(
        joules=found.seconds,
        low_joules=found.low_seconds,
        high_joules=found.high_seconds,
        num_runs=found.num_runs,
    )


def _reach(logs: Sequence[float], middle: float, more_spread: float) -> float:
    """Return how far the logarithm of the next run's seconds may lie from the middle."""
    freedom = _PRIOR_RUNS + len(logs) - 1
    squares = _PRIOR_RUNS * _PRIOR_SPREAD**2 + sum((one - middle) ** 2 for one in logs)
    spread = max(_LEAST_SPREAD, math.sqrt(squares / freedom))
    t = _T_90[freedom - 1] if freedom <= len(_T_90) else _T_90_BEYOND
    return t * math.hypot(spread * math.sqrt(1 + 1 / len(logs)), more_spread)
