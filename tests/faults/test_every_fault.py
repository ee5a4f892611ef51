"""Every effect, hit by every fault at every point, then by fault after fault: it ends as if nothing had happened.

A trial: the fault; a look whether anything is lost or half published; the action again; a comparison of every
row and file with the undisturbed end, whose books and disk agree (inventory.py).
"""

import re
from pathlib import Path
from typing import Any

import pytest
from extras import EXTRAS
from injector import KINDS, kinds_at
from scenarios import SCENARIOS

from reconciler.plan import actions as a

CHECKOUT = Path(__file__).resolve().parents[2]
LEAST_FAULTS = 10_000
NUM_CHAINS = 3
NAMES = [*SCENARIOS, *EXTRAS]
ELSEWHERE = {
    "entry.move": "tests/reconciler/act/test_migrating.py",
    "entry.moved": "tests/reconciler/act/test_migrating.py",
    "mirror.create": "tests/reconciler/act/test_mirror.py",
    "mirror.fetch": "tests/reconciler/act/test_mirror.py",
    "mirror.take-up": "tests/reconciler/act/test_mirror.py",
    "filesystem.sync": "tests/faults/test_power_cuts.py",
}
"""Points that no scenario here comes to undisturbed, and the test that hits them."""


def num_chains(name: str) -> int:
    """Return how many chains; a real process for each try is too slow for many."""
    scenario = SCENARIOS.get(name)
    return 1 if scenario is not None and scenario.starts_trainer else NUM_CHAINS


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_an_effect_hit_by_every_fault_at_every_point_ends_as_undisturbed(
    name: str, worker: Any, record_property: Any
) -> None:
    answer = worker.ask(task="trials", name=name, num_chains=num_chains(name))

    record_property("faults", answer["faults"])
    assert sum(answer["faults"].values()) == answer["planned"]


@pytest.mark.timeout(900)
def test_at_least_ten_thousand_faults_are_planned_of_every_kind_at_every_point(worker: Any) -> None:
    looks = {
        name: worker.ask(task="trials", name=name, num_chains=num_chains(name), only_look=True)
        for name in NAMES
    }

    num_planned = sum(look["planned"] for look in looks.values())
    print(f"{num_planned:,} faults in {len(NAMES)} scenarios")
    assert num_planned >= LEAST_FAULTS
    met = {point for look in looks.values() for point in look["points"]}
    assert {kind for point in met for kind in kinds_at(point)} == set(KINDS)
    assert named_points() == met | set(ELSEWHERE), "a point that nobody hits, or one that is gone"


def named_points() -> set[str]:
    """Return the name of every failpoint in the code."""
    found = set()
    for package in ("state", "reconciler", "trainer"):
        for path in (CHECKOUT / package).rglob("*.py"):
            text = path.read_text()
            found |= set(re.findall(r'(?<!def )\breach\("([^"]+)"\)', text))
            found |= set(re.findall(r'write_all\(.*"([a-z]+\.[a-z]+)"\)', text))
    return found | {"file.write"}


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_points_that_are_hit_elsewhere_are_hit_there(test: str) -> None:
    text = (CHECKOUT / test).read_text()

    assert "failpoints" in text or "worker.ask" in text


def test_every_action_has_a_scenario() -> None:
    tested = {name.partition("-")[0] for name in SCENARIOS}

    assert tested == {action.__name__ for action in a.AnyAction.__args__}
