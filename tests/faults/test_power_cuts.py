"""The power may be cut anywhere: no state that POSIX allows then loses a copy or shows a half one as whole.

The calls of each effect are recorded (tape.py), each state that a cut may leave is built (power_cut.py) and
judged (protocols.py): nothing half published, nothing lost, and what is done, or named by a row, stays.
"""

from pathlib import Path
from typing import Any

import pytest
from extras import EXTRAS
from protocols import sites_in_the_code
from scenarios import SCENARIOS

NAMES = [*SCENARIOS, *EXTRAS]
MOST_RECOVERIES = 8
NOT_RECORDED = {
    "reconciler/act/migrating.py": "a migration has no scenario: test_migration_power_cuts.py",
    "reconciler/app/rebuilding/": "the store that it writes is SQLite's; test_rebuilding.py kills it",
    "state/links.py": "the sync of a reflink: file systems in memory have none",
}
"""Files whose syncs no protocol here has, and why."""
FOR_READING = {"state/copies.py": "sync_file(path)"}
"""Syncs that no power cut misses: what is read again past the cache must be on the disk first."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_no_power_cut_loses_a_copy_or_takes_back_what_is_done(name: str, worker: Any) -> None:
    """Also of a second try, after one that failed between an effect and its fsync."""
    answer = worker.ask(task="power", name=name, most_recoveries=MOST_RECOVERIES)

    assert answer["problems"] == []
    assert answer["states"] > 0


@pytest.mark.timeout(900)
def test_each_sync_that_is_left_out_lets_a_power_cut_break_a_promise(worker: Any) -> None:
    met: set[str] = set()
    missed: set[str] = set()
    for name in NAMES:
        answer = worker.ask(task="syncs", name=name, with_failures=name == "RegisterCampaign")
        met |= set(answer["met"])
        missed |= set(answer["missed"])

    idle = {site for site in met - missed if FOR_READING.get(site.partition(":")[0]) != line_of(site)}
    assert idle == set(), "no power cut breaks a promise without these"
    unmet = {site for site in sites_in_the_code() - met if not site.startswith(tuple(NOT_RECORDED))}
    assert unmet == set()


def line_of(site: str) -> str:
    """Return the code at `file:line`."""
    file, _, line = site.partition(":")
    return (Path(__file__).resolve().parents[2] / file).read_text().splitlines()[int(line) - 1].strip()
