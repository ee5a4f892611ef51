"""How much has surely passed between two looks, by the clock on the wall and the machine's boot clock."""

import pytest

from reconciler.plan.observed_time import elapsed_seconds
from state.moments import BootMoment

SINCE, SINCE_BOOT = "2026-01-31T12:00:00Z", BootMoment(boot_id="a", seconds=1_000.0)
HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("now", "boot", "elapsed"),
    [
        ("2026-01-31T13:00:00Z", ("a", 1_000.0 + HOUR), HOUR),
        ("2026-02-01T12:00:00Z", ("a", 1_015.0), 15.0),
        ("2036-01-31T12:00:00Z", ("a", 1_015.0), 15.0),
        ("2016-01-31T12:00:00Z", ("a", 1_015.0), 15.0),
        ("2026-01-31T12:00:01Z", ("a", 1_000.0 + 3 * DAY), DAY),
        ("2026-01-31T12:00:01Z", ("a", 999.0), 0.0),
        ("2026-02-01T11:00:00Z", ("b", 40.0), 40.0),
        ("2026-01-31T12:00:30Z", ("b", 40.0), 30.0),
        ("2016-01-31T12:00:00Z", ("b", 40.0), 0.0),
        ("2026-02-10T12:00:00Z", ("b", 3 * DAY), DAY),
        ("2026-01-31T13:00:00Z", None, HOUR),
        ("2036-01-31T12:00:00Z", None, DAY),
        ("2016-01-31T12:00:00Z", None, 0.0),
    ],
    ids=[
        "both clocks agree", "a day ahead in fifteen seconds", "ten years ahead", "ten years back",
        "three days without a look are one", "a boot clock that cannot be", "after a boot: since that boot",
        "another machine that runs for longer: what the wall clock saw", "after a boot, set back",
        "days after a boot are one", "no boot clock", "no boot clock, ten years ahead", "no boot clock, back",
    ],
)  # fmt: skip
def test_a_clock_on_the_wall_that_jumps_makes_nothing_old(now, boot, elapsed):
    reading = boot and BootMoment(boot_id=boot[0], seconds=boot[1])
    assert elapsed_seconds(SINCE, now, SINCE_BOOT, reading) == elapsed


def test_a_store_of_an_older_version_goes_by_the_wall_clock_once():
    assert elapsed_seconds(SINCE, "2026-01-31T13:00:00Z", None, SINCE_BOOT) == HOUR


def test_before_the_first_look_nothing_has_passed():
    assert elapsed_seconds(None, SINCE, None, SINCE_BOOT) == 0.0
