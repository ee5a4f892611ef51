"""Hourly to yearly: the newest checkpoint of each of the last so many hours, days, ISO weeks, months, years.

As trusted backup tools count: from the newest to the oldest, in UTC, only periods in which something was
saved. While the count is not used up, the oldest of all is kept too: the history reaches as far as it can.
"""

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
    (period_of, form), times = PERIODS[name], history.times
    before = None
    for at in reversed(history.healthy):
        period = period_of(times[at])
        if period != before or at == history.healthy[0]:
            oldest = "oldest " if period == before else ""
            yield at, f"{oldest}{name} ({times[at].strftime(form)})"
            before, count = period, count if count == ALL else count - 1
        if count == 0:
            return
