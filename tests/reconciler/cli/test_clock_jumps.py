"""One jump of the clock on the wall ends no time of grace; the machine's boot clock says what has passed."""

from pathlib import Path

import pytest

RULES = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\n"
HOUR, DAY = 3600, 86_400


@pytest.fixture
def dropped(resting, run, clocks, root: Path) -> Path:
    """A checkpoint that rolled out, in the trash for an hour of grace; its folder there."""
    resting({"specs/retention.yaml": RULES}, (1, 2))
    clocks.pass_time(3)
    assert run("apply", "--until-converged").exit_code == 0
    (folder,) = (one for one in (root / "trash").iterdir() if one.is_dir())
    return folder


def look_again(run) -> None:
    for _ in range(4):
        assert run("apply", "--once").exit_code == 0


@pytest.mark.parametrize("days", [1, 400, -400])
def test_a_jump_of_the_clock_purges_nothing(run, clocks, dropped: Path, days: int) -> None:
    clocks.wall_ahead += days * DAY
    look_again(run)
    assert dropped.exists()
    clocks.pass_time(HOUR / 2)
    look_again(run)
    assert dropped.exists()


def test_after_an_hour_on_the_boot_clock_it_is_purged_though_the_wall_clock_stands_still(
    run, clocks, dropped: Path
) -> None:
    clocks.boot_ahead += HOUR
    look_again(run)
    assert not dropped.exists()


def test_time_in_which_a_machine_was_off_makes_nothing_older(run, clocks, dropped: Path) -> None:
    clocks.wall_ahead += 3 * DAY
    clocks.restart()
    look_again(run)
    assert dropped.exists()
    clocks.pass_time(HOUR)
    look_again(run)
    assert not dropped.exists()


def test_where_there_is_no_boot_clock_a_jump_counts_for_a_day_at_most(run, clocks, dropped: Path) -> None:
    clocks.boot = None
    clocks.wall_ahead += DAY
    look_again(run)
    assert not dropped.exists()
