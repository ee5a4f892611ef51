"""Every effect, hit by every fault at every point, then by fault after fault: it ends as if nothing had happened.

A trial: the fault; a look whether anything is lost or half published; the action again; a comparison of every
row and file with the undisturbed end, whose books and disk agree (inventory.py).
"""

from typing import Any

import pytest
from extras import EXTRAS
from scenarios import SCENARIOS
from trials import NUM_CHAINS

NAMES = [*SCENARIOS, *EXTRAS]
MANY_CHAINS, MANY_OF_PROCESSES = 10, 2
"""A real process for each try is too slow for many."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_an_effect_hit_by_every_fault_at_every_point_ends_as_undisturbed(
    name: str, worker: Any, record_property: Any
) -> None:
    answer = worker.ask(task="trials", name=name, num_chains=NUM_CHAINS)

    record_property("faults", answer["faults"])
    assert sum(answer["faults"].values()) == answer["planned"]


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_an_effect_hit_by_chain_after_chain_of_faults_ends_as_undisturbed(
    name: str, worker: Any, record_property: Any
) -> None:
    scenario = SCENARIOS.get(name)
    starts_processes = scenario is not None and scenario.starts_trainer
    num_chains = MANY_OF_PROCESSES if starts_processes else MANY_CHAINS
    answer = worker.ask(task="trials", name=name, num_chains=num_chains)

    record_property("faults", answer["faults"])
    assert sum(answer["faults"].values()) == answer["planned"]
