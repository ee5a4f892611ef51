"""From any world that can be generated, under any schedule of faults: apply comes to rest in a bounded number of ticks.

The faults hit whole ticks: planning, actions, sagas, backups and instant trainers alike. The reconciler is
started again whenever one ends it. After the last fault it must settle as if there had been none.
"""

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from edits import Edit, check_books, edits, new_world, specs_of
from guardian import Guardian
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from in_memory import new_folder
from worlds import World, check_nothing_is_left

from reconciler.act.environment import _finds_this_software
from reconciler.act.errors import ActionFailed
from state import failpoints
from state.failpoints import FAULTS

MOST_STARTS = 40
"""Within so many starts, of at most 40 ticks each, it must have settled."""
MOST_FAULTS = 25


class Storm:
    """Makes calls fail, one in so many, until so many have failed."""

    def __init__(self, seed: int, every: int) -> None:
        self._chance, self._every = random.Random(seed), every
        self.met: Counter[str] = Counter()

    def __call__(self, name: str) -> None:
        if self.met.total() < MOST_FAULTS and self._chance.randrange(self._every) == 0:
            fault = self._chance.choice(FAULTS[1:])
            self.met[fault] += 1
            failpoints._produce(fault, name)


@pytest.fixture(scope="module")
def places() -> Iterator[Path]:
    """Return a folder in memory where there is one: the same calls, and no wait for a disk."""
    folder = new_folder()
    _finds_this_software()  # asked once here, so that not every forked child asks
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def apply_in(world: World, storm: Storm, kill_at: int | None) -> None:
    """Apply, and again whenever a fault has ended it, until it settles."""
    if kill_at is not None and world.apply_killed((), kill_at):
        storm.met["kill"] += 1
    for _ in range(MOST_STARTS):
        failpoints.observe(storm)
        try:
            world.apply()
        except (OSError, apsw.Error, ActionFailed) as error:
            note(f"ended by {error!r}")
        else:
            return
        finally:
            failpoints.observe(None)
    raise AssertionError(f"not settled after {MOST_STARTS} starts and {storm.met}")


def assert_schedule_comes_to_rest(
    places: Path, edit: Edit, later: Edit, seed: int, every: int, kill_at: int | None
) -> Counter[str]:
    folder, met = Path(tempfile.mkdtemp(dir=places)), Counter[str]()
    world = new_world(folder)
    world.is_watched = False
    guardian = Guardian(world.lab.layout.root, world.now)
    for number, wanted in enumerate((edit, later)):
        world.commit(specs_of(world, wanted))
        guardian.retention = wanted.retention
        storm = Storm(seed + number, every)
        apply_in(world, storm, kill_at)
        met += storm.met
        guardian.check_tick()
        guardian.check_settled()
        world.is_watched = True
        check_nothing_is_left(world)
        check_books(world.lab, wanted)
        assert world.apply() == 1, "it does not rest"
        world.is_watched = False
    shutil.rmtree(folder)
    return met


ANY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
SCHEDULES: dict[str, Any] = {
    "edit": edits(),
    "later": edits(),
    "seed": st.integers(0, 2**16),
    "every": st.sampled_from([7, 15, 40]),
    "kill_at": st.none() | st.integers(1, 250),
}


@pytest.mark.timeout(900)
def test_under_any_schedule_of_faults_apply_comes_to_rest_and_loses_nothing(
    places: Path, record_property: Any
) -> None:
    met: Counter[str] = Counter()

    @settings(ANY, max_examples=6, derandomize=True, phases=[Phase.generate])
    @given(**SCHEDULES)
    def check(**schedule: Any) -> None:
        met.update(assert_schedule_comes_to_rest(places, **schedule))

    check()
    record_property("faults", dict(met))
    assert met.total() > 0


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(ANY, max_examples=150)
@given(**SCHEDULES)
def test_many_more_schedules_come_to_rest(places: Path, **schedule: Any) -> None:
    assert_schedule_comes_to_rest(places, **schedule)
