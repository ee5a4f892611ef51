"""Observed time: what is added to it, and that a clock that jumps adds a day at most, and never takes any away."""

import msgspec
import pytest

from reconciler.act.observed_time import pass_time
from reconciler.act.office import enter_office

BEGUN = "2026-01-31T12:00:00Z"


@pytest.fixture
def after(realm):
    """Return what passes time over the store, as a tick does, and gives observed seconds and clean ticks."""
    before = {"observed_seconds": 100.0, "observed_at": BEGUN, "clean_ticks": 3}
    store = msgspec.structs.replace(realm.view(), **before)

    def passed(now: str, *, is_clean: bool = True, has_acted: bool = True) -> tuple[float, int]:
        writer = enter_office(realm.layout, BEGUN)
        pass_time(writer, store, now, is_clean=is_clean, has_acted=has_acted)
        writer.close()
        return realm.view().observed_seconds, realm.view().clean_ticks

    return passed


@pytest.mark.parametrize(
    ("now", "observed"),
    [
        ("2026-01-31T12:00:30Z", 130.0),
        ("2026-02-01T11:00:00Z", 100.0 + 23 * 3600),
        ("2036-01-31T12:00:00Z", 100.0 + 24 * 3600),
        ("2016-01-31T12:00:00Z", 100.0),
    ],
)
def test_what_passed_is_added_a_day_at_most_and_never_less_than_nothing(after, now, observed):
    assert after(now) == (observed, 4)


def test_a_tick_with_a_failure_is_no_clean_one(after):
    assert after("2026-01-31T12:00:30Z", is_clean=False) == (130.0, 3)


def test_a_tick_with_nothing_to_do_and_nothing_in_the_trash_writes_nothing(after):
    assert after("2026-01-31T13:00:00Z", has_acted=False) == (0.0, 0)


@pytest.fixture
def trashed(realm, make):
    """A realm with one dropped checkpoint, at the third clean tick; observed seconds stand at 100."""
    first = realm.save_checkpoint(7)
    realm.done(make.record(first), make.record(realm.save_checkpoint(9)), make.drop(first))
    [stone] = realm.view().trash
    return msgspec.structs.replace(
        realm.view(), observed_seconds=100.0, observed_at=BEGUN, clean_ticks=3,
        trash=(msgspec.structs.replace(stone, clean_ticks=2),),
    )  # fmt: skip


@pytest.fixture
def counted(realm, trashed):
    """Return what a tick that does nothing counts while something waits in the trash, and if its last tick came."""

    def passed(now: str, *, is_clean: bool = True) -> tuple[float, int, bool]:
        before = realm.view()
        writer = enter_office(realm.layout, BEGUN)
        is_last = pass_time(writer, trashed, now, is_clean=is_clean, has_acted=False)
        writer.close()
        after = realm.view()
        wrote = (after.observed_at, after.clean_ticks) != (before.observed_at, before.clean_ticks)
        return (after.observed_seconds, after.clean_ticks, is_last) if wrote else (-1.0, -1, is_last)

    return passed


@pytest.mark.parametrize(
    ("now", "written"),
    [
        ("2026-01-31T12:00:59Z", (-1.0, -1, False)),
        ("2026-01-31T12:01:00Z", (160.0, 4, True)),
        ("2026-01-31T11:59:59Z", (100.0, 4, True)),
        ("2036-01-31T12:00:00Z", (100.0 + 24 * 3600, 4, True)),
    ],
    ids=["within a minute nothing", "from a minute on", "a clock set back begins anew", "years are a day"],
)
def test_while_something_waits_in_the_trash_time_is_written_once_a_minute(counted, now, written):
    assert counted(now) == written


def test_a_tick_with_a_failure_ages_the_trash_and_is_not_its_last_clean_one(counted):
    assert counted("2026-01-31T12:02:00Z", is_clean=False) == (220.0, 3, False)
