"""All that may fail is known: enough faults, every failpoint hit, every action tried, no sync without a reason.

Each scenario is prepared once for these tests; the others perform them (see README.md).
"""

import re
from pathlib import Path
from typing import Any

import pytest
from extras import EXTRAS
from injector import KINDS, kinds_at
from protocols import sites_in_the_code
from scenarios import SCENARIOS
from trials import NUM_CHAINS

from reconciler.plan import actions as a

CHECKOUT = Path(__file__).resolve().parents[2]
LEAST_FAULTS = 10_000
NAMES = [*SCENARIOS, *EXTRAS]
ELSEWHERE = {
    "entry.move": "tests/reconciler/act/test_migrating.py",
    "entry.moved": "tests/reconciler/act/test_migrating.py",
    "mirror.create": "tests/reconciler/act/test_mirror.py",
    "mirror.fetch": "tests/reconciler/act/test_mirror.py",
    "mirror.format": "tests/reconciler/act/test_mirror.py",
    "mirror.take-up": "tests/reconciler/act/test_mirror.py",
    "filesystem.sync": "tests/faults/test_power_cuts.py",
    "status.write": "tests/trainer/engine/test_full_disk.py",
    "reserve.hold": "tests/trainer/engine/test_full_disk.py",
    "reserve.write": "tests/trainer/engine/test_full_disk.py",
}
"""Points that no scenario here comes to undisturbed, and the test that hits them."""
NOT_RECORDED = {
    "reconciler/act/migrating.py": "a migration has no scenario: test_migration_power_cuts.py",
    "reconciler/app/rebuilding/": "the store that it writes is SQLite's; test_rebuilding.py kills it",
    "trainer/engine/full_disk.py": "what a full disk has room for: without it a word is missing, and no work",
    "state/links.py": "the sync of a reflink: file systems in memory have none",
}
"""Files whose syncs no protocol here has, and why."""
FOR_READING = {"state/copies.py": "sync_file(path)"}
"""Syncs that no power cut misses: what is read again past the cache must be on the disk first."""


@pytest.fixture(scope="module")
def looks(worker: Any) -> dict[str, dict[str, Any]]:
    """Return of each scenario its failpoints, and which lines sync on its way and would be missed."""
    found: dict[str, dict[str, Any]] = {}
    missed: set[str] = set()
    for name in NAMES:
        found[name] = worker.ask(
            task="syncs", name=name, known=sorted(missed), with_failures=name == "RegisterCampaign"
        )
        missed |= set(found[name]["missed"])
    return found


@pytest.mark.timeout(900)
def test_at_least_ten_thousand_faults_are_planned_of_every_kind_at_every_point(
    looks: dict[str, dict[str, Any]],
) -> None:
    num_planned = sum(look["planned"] for look in looks.values())
    print(f"{num_planned:,} faults in {len(NAMES)} scenarios, {NUM_CHAINS} chain of each")
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


@pytest.mark.timeout(900)
def test_each_sync_that_is_left_out_lets_a_power_cut_break_a_promise(
    looks: dict[str, dict[str, Any]],
) -> None:
    met = {site for look in looks.values() for site in look["met"]}
    missed = {site for look in looks.values() for site in look["missed"]}

    idle = {site for site in met - missed if FOR_READING.get(site.partition(":")[0]) != line_of(site)}
    assert idle == set(), "no power cut breaks a promise without these"
    unmet = {site for site in sites_in_the_code() - met if not site.startswith(tuple(NOT_RECORDED))}
    assert unmet == set()


def line_of(site: str) -> str:
    """Return the code at `file:line`."""
    file, _, line = site.partition(":")
    return (CHECKOUT / file).read_text().splitlines()[int(line) - 1].strip()
