"""From any world that can be generated, under any schedule of faults: apply comes to rest in a bounded number of ticks.

The faults hit whole ticks: planning, actions, sagas, backups and instant trainers alike. The reconciler is
started again whenever one ends it. After the last fault it must settle as if there had been none.
"""

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest
from edits import Edit, archivings, check_books, edits, new_world, retention_of, specs_of
from guardian import Guardian
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from in_memory import new_folder
from lab import realm, tiny_hero
from worlds import World, check_nothing_is_left

from reconciler.act.environment import _finds_this_software
from reconciler.act.errors import ActionFailed
from state import failpoints
from state.failpoints import FAULTS

MOST_STARTS = 40
"""Within so many starts, of at most 40 ticks each, it must have settled."""
MOST_FAULTS = 25
ONE = "one/campaign-001"


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


def apply_in(world: World, storm: Storm, kill_at: int | None, guardian: Guardian) -> None:
    """Apply, and again whenever a fault has ended it, until it settles."""
    began = world.now()
    if kill_at is not None and world.apply_killed((), kill_at):
        storm.met["kill"] += 1
        world.pass_time(minutes=1)
        guardian.check_after_kill(began)
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
    places: Path, wanted: Sequence[Edit], seed: int, every: int, kill_at: int | None, hours: int = 0
) -> Counter[str]:
    """Let one edit after another be applied in a storm, hours apart; return what was met and what was done."""
    folder, met = Path(tempfile.mkdtemp(dir=places)), Counter[str]()
    world = new_world(folder)
    world.is_watched = False
    guardian = Guardian(world.lab.layout.root, world.now, world.elsewhere)
    world.after_each_tick = guardian.check_tick
    for number, edit in enumerate(wanted):
        world.pass_time(hours=hours)
        world.commit(specs_of(world, edit))
        guardian.retention = retention_of(world, edit)
        storm = Storm(seed + number, every)
        apply_in(world, storm, kill_at, guardian)
        met += storm.met
        guardian.check_settled()
        world.is_watched = True
        check_nothing_is_left(world)
        check_books(world.lab, edit)
        assert world.apply() == 1, "it does not rest"
        world.is_watched = False
    shutil.rmtree(folder)
    return met + Counter(moved=guardian.num_moved, brought_back=guardian.num_brought_back)


ANY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
SCHEDULES: dict[str, Any] = {
    "wanted": st.tuples(edits(), edits()),
    "seed": st.integers(0, 2**16),
    "every": st.sampled_from([7, 15, 40]),
    "kill_at": st.none() | st.integers(1, 250),
}
MOVES = SCHEDULES | {"wanted": archivings(), "hours": st.sampled_from([0, 2])}


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
    record_property("faults", {fault: met[fault] for fault in FAULTS})
    assert met.total() > 0


@pytest.mark.timeout(900)
def test_what_is_archived_elsewhere_is_never_lost_and_comes_back_under_any_schedule_of_faults(
    places: Path, record_property: Any
) -> None:
    met: Counter[str] = Counter()

    @settings(ANY, max_examples=6, derandomize=True, phases=[Phase.generate])
    @given(**MOVES)
    def check(**schedule: Any) -> None:
        met.update(assert_schedule_comes_to_rest(places, **schedule))

    check()
    record_property("faults", {fault: met[fault] for fault in FAULTS})
    assert met["moved"] > 0
    assert met["brought_back"] > 0


def test_what_could_not_be_swept_when_office_was_taken_is_swept_by_a_later_tick(places: Path) -> None:
    world = new_world(Path(tempfile.mkdtemp(dir=places)))
    world.commit(
        {"realm": realm(None), "heroes/one": tiny_hero("one"), f"campaigns/{ONE}": {"id": "campaign-001"}}
    )
    world.apply()
    left = world.lab.layout.campaign(ONE).record.with_name(".staging-campaign.json.1")
    left.write_text("half")
    failed: list[str] = []

    def fail_once(name: str) -> None:
        if name == "staging.remove" and not failed:
            failed.append(name)
            failpoints._produce("EIO", name)

    world.is_watched = False
    failpoints.observe(fail_once)
    try:
        world.apply()
    finally:
        failpoints.observe(None)

    assert failed == ["staging.remove"]
    assert not left.exists()


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(ANY, max_examples=150, phases=[Phase.generate])
@given(**SCHEDULES)
def test_many_more_schedules_come_to_rest(places: Path, **schedule: Any) -> None:
    assert_schedule_comes_to_rest(places, **schedule)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(ANY, max_examples=100, phases=[Phase.generate])
@given(**MOVES)
def test_many_more_schedules_of_what_is_archived_elsewhere_come_to_rest(
    places: Path, **schedule: Any
) -> None:
    assert_schedule_comes_to_rest(places, **schedule)
