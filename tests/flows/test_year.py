"""A year of a realm: after every commit it comes to rest soon, nothing is left to do, and no save was lost.

Real git, files, store and every planner and executor; a clock of ours. What may never be dropped is judged by a
model of its own (see guardian.py), after each tick.
"""

import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from chapters import CHAPTERS, Chapter
from in_memory import new_folder
from instant import InstantTrainers
from worlds import check_nothing_is_left
from year import Year

from reconciler.act.environment import _finds_this_software
from reconciler.act.launcher import LocalLauncher

MOST_TICKS, MOST_TICKS_TRAINING = 12, 40
"""In which something moves; a living trainer moves something with each checkpoint that it saves."""


@pytest.fixture
def year() -> Iterator[Year]:
    """Return a year that has not begun, in memory where there is a place for it."""
    folder = new_folder()
    _finds_this_software()  # asked once here, so that not every forked child asks
    year = Year(folder)
    yield year
    year.world.lab.end()
    shutil.rmtree(folder, ignore_errors=True)


USUAL = {"waits", "protected-in-the-trash"}
"""What may stand in the way at any time: a quest for another campaign, and a line, such as a milestone in the past,
that protects what the rules had dropped before it was written."""


class SomeDo:
    """Launches real trainers, but for those whose fate is written."""

    def __init__(self, instant: InstantTrainers, num_fates: int) -> None:
        self._instant, self._num_fates, self._real = instant, num_fates, LocalLauncher()

    def spawn(self, argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> int:
        self._num_fates -= 1
        launcher = self._instant if self._num_fates >= 0 else self._real
        return launcher.spawn(argv, env=env, log=log, cwd=cwd)

    def reap(self) -> Sequence[tuple[int, int]]:
        return self._real.reap()


def live(year: Year, chapter: Chapter, *, kills: Sequence[int] = (), is_real: bool = False) -> None:
    """Let the days go by, do what people do, and see the realm come to rest."""
    world, guardian = year.world, year.guardian
    world.pass_time(days=chapter.days)
    chapter.act(year)
    guardian.retention = year.retention
    world.commit(year.specs())
    for at in kills:
        world.apply_killed((), at)
        guardian.check_tick()
    instant = InstantTrainers(year.fates, world.now)
    ticks = world.apply(launcher=SomeDo(instant, len(year.fates)) if is_real else instant)
    year.fates = ()
    assert ticks <= (MOST_TICKS_TRAINING if is_real else MOST_TICKS)
    plan = check_nothing_is_left(world) if world.is_watched else world.plan().plan
    assert plan.changes == ()
    assert {item.code for item in plan.blocked} <= chapter.blocked | USUAL, plan.blocked
    guardian.check_settled()
    chapter.then(year)


def assert_all_chapters_are_lived(
    year: Year, *, chance: random.Random | None = None, is_real: bool = False
) -> None:
    for chapter in CHAPTERS:
        kills = [chance.randint(1, 300) for _ in range(chance.choice([0, 1, 1, 2]))] if chance else []
        try:
            live(year, chapter, kills=kills, is_real=is_real)
        except BaseException as error:
            error.add_note(f"in the chapter: {chapter.what}, killed at {kills}")
            raise
    assert len(year.world.lab.store().campaigns) == 9
    assert year.guardian.num_dropped > 100
    assert year.guardian.num_purged > 80


@pytest.mark.timeout(900)
def test_after_every_commit_of_a_year_all_is_done_and_no_protected_checkpoint_was_dropped(year: Year) -> None:
    year.world.is_watched = False  # the same year is watched, and disturbed, by the long tests
    assert_all_chapters_are_lived(year)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(3))
def test_the_same_year_with_a_reconciler_that_is_killed_at_any_moment(year: Year, seed: int) -> None:
    assert_all_chapters_are_lived(year, chance=random.Random(seed))


@pytest.mark.long
@pytest.mark.train
@pytest.mark.timeout(1800)
def test_the_same_year_with_real_training(year: Year) -> None:
    assert_all_chapters_are_lived(year, is_real=True)
