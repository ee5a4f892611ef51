"""Amounts are told in one way everywhere."""

import pytest

from state.amounts import count, counts, duration, energy, size


@pytest.mark.parametrize(
    ("num_bytes", "told"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (61_000_000, "61 MB"),
        (6_240_000, "6.2 MB"),
        (99_940_000, "99.9 MB"),
        (99_960_000, "100 MB"),
        (18_400_000_000, "18.4 GB"),
        (2_000_000_000_000_000, "2000 TB"),
    ],
)
def test_a_size_has_as_many_digits_as_help(num_bytes: int | None, told: str) -> None:
    assert size(num_bytes) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, ""),
        (-3, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (65, "1m 05s"),
        (110, "1m 50s"),
        (600, "10 min"),
        (3600, "1 h"),
        (7800, "2h 10m"),
        (86_400, "1 d"),
        (3 * 86_400 + 4 * 3600 + 59, "3d 4h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float | None, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize(
    ("number", "noun", "told"),
    [
        (1, "quest", "1 quest"),
        (2, "launch", "2 launches"),
        (1_000, "box", "1,000 boxes"),
        (0, "row", "0 rows"),
    ],
)
def test_a_count_agrees_with_its_noun(number: int, noun: str, told: str) -> None:
    assert count(number, noun) == told


def test_only_what_there_is_is_counted() -> None:
    assert counts(campaign=1, checkpoint=2) == "1 campaign, 2 checkpoints"
    assert counts(campaign=0, checkpoint=1) == "1 checkpoint"
    assert counts(campaign=0) == ""


@pytest.mark.parametrize(
    ("joules", "text"), [(850.0, "850 J"), (7200.0, "2 Wh"), (5.04e6, "1.4 kWh"), (0.0, "0 J")]
)
def test_an_energy_reads_in_joules_watt_hours_or_kilowatt_hours(joules: float, text: str) -> None:
    assert energy(joules) == text
