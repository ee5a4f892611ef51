"""Change windows: when they are open, when they open next, in the zone that they name."""

from zoneinfo import available_timezones

import pytest

from reconciler.desired.windows import Window, closed_until, days_of

NIGHTS = Window(days="mon-fri", from_="23:00", to="07:00", zone="UTC")


def at(now: str, *windows: Window) -> str | None:
    return closed_until(windows, now)


def berlin(**words: str) -> Window:
    if "Europe/Berlin" not in available_timezones():
        pytest.skip("this machine has no data of time zones")
    return Window(zone="Europe/Berlin", **words)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-01-30T22:59:59Z", "2026-01-30T23:00:00Z"),  # a Friday
        ("2026-01-30T23:00:00Z", None),
        ("2026-01-31T06:59:59Z", None),  # it goes on into Saturday
        ("2026-01-31T07:00:00Z", "2026-02-02T23:00:00Z"),  # the next one is Monday's
        ("2026-02-02T03:00:00Z", "2026-02-02T23:00:00Z"),  # Sunday has none that could go on
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens(now: str, opens: str | None) -> None:
    assert at(now, NIGHTS) == opens


def test_of_several_windows_the_one_that_opens_first_counts_and_one_that_is_open_is_enough() -> None:
    noon = Window(from_="12:00", to="13:00", zone="UTC")
    assert at("2026-01-30T10:00:00Z", NIGHTS, noon) == "2026-01-30T12:00:00Z"
    assert at("2026-01-30T12:30:00Z", NIGHTS, noon) is None


def test_a_window_of_one_day_a_week_opens_again_in_seven_days() -> None:
    sunday = Window(days="sun", from_="03:00", to="04:00", zone="UTC")
    assert at("2026-02-01T04:00:00Z", sunday) == "2026-02-08T03:00:00Z"


def test_whole_days_have_no_gap_at_midnight() -> None:
    always = Window(from_="00:00", to="24:00", zone="UTC")
    assert [at(f"2026-01-{day}T{hour}Z", always) for day, hour in ((30, "23:59:59"), (31, "00:00:00"))] == [
        None,
        None,
    ]


def test_the_hour_of_a_zone_moves_with_its_summer_time() -> None:
    night = berlin(from_="23:00", to="07:00")
    assert at("2026-01-15T20:00:00Z", night) == "2026-01-15T22:00:00Z"
    assert at("2026-07-15T20:00:00Z", night) == "2026-07-15T21:00:00Z"


def test_a_window_in_the_hour_that_summer_time_skips_still_opens_that_night() -> None:
    gap = berlin(from_="02:15", to="04:00")
    assert at("2026-03-29T00:00:00Z", gap) == "2026-03-29T01:15:00Z"


def test_without_windows_every_time_is_right() -> None:
    assert at("2026-01-30T10:00:00Z") is None


def test_days_may_go_over_the_end_of_the_week() -> None:
    assert days_of("fri-mon") == {4, 5, 6, 0}
    assert days_of("mon-fri, sun") == {0, 1, 2, 3, 4, 6}
