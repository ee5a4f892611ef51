"""Hourly to yearly: the newest checkpoint of each of the last so many hours, days, ISO weeks, months, years.

As trusted backup tools count: from the newest to the oldest, in UTC, only periods in which something was
saved. While the count is not used up, the oldest of all is kept too: the history reaches as far as it can.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import datetime

from reconciler.plan.retention.history import History
from reconciler.plan.retention.rules import ALL, Rules

_DAYS_A_WEEK, _HOURS_A_DAY, _MONTHS_A_YEAR = 7, 24, 12


def _hour(time: datetime) -> int:
    return time.toordinal() * _HOURS_A_DAY + time.hour


def _week(time: datetime) -> int:
    """Return the number of the week since the year 1, whose first day was a Monday, as in ISO 8601."""
    return (time.toordinal() - 1) // _DAYS_A_WEEK


def _month(time: datetime) -> int:
    return time.year * _MONTHS_A_YEAR + time.month


def _year(time: datetime) -> int:
    return time.year


PERIODS: dict[str, tuple[Callable[[datetime], int], str]] = {
    "hourly": (_hour, "%Y-%m-%d %H:00"),
    "daily": (datetime.toordinal, "%Y-%m-%d"),
    "weekly": (_week, "%G-W%V"),
    "monthly": (_month, "%Y-%m"),
    "yearly": (_year, "%Y"),
}
"""Rule → the number of the period that a time lies in, and how the period is shown."""


def by_calendar(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Yield position and reason of what the calendar rules keep."""
    for name in PERIODS:
        count = getattr(rules, name)
        if count:
            yield from _newest_of_each(history, name, count)


def _newest_of_each(history: History, name: str, count: int) -> Iterator[tuple[int, str]]:
    (period_of, form), times, healthy = PERIODS[name], history.times, history.healthy
    end = len(healthy)
    while end and count:
        at = healthy[end - 1]
        yield at, f"{name} ({times[at].strftime(form)})"
        begin, count = _begin(history, end, period_of), count if count == ALL else count - 1
        if begin == 0 and count and end > 1:
            yield healthy[0], f"oldest {name} ({times[healthy[0]].strftime(form)})"
        end = begin


def _begin(history: History, end: int, period_of: Callable[[datetime], int]) -> int:
    """Return the first place among the healthy ones that lies in the period of the one before `end`.

    It looks back in strides that double, so that long periods are crossed in few looks, and short ones too.
    """
    times, healthy = history.times, history.healthy

    def period(at: int) -> int:
        return period_of(times[at])

    sought, stride = period(healthy[end - 1]), 1
    while stride < end and period(healthy[end - 1 - stride]) == sought:
        stride *= 2
    return bisect_left(healthy, sought, max(0, end - 1 - stride), end - 1, key=period)
