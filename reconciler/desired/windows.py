"""Change windows: when new commits of the specs are taken up. Days and times of a place, with its zone.

Pure but for the time zones themselves, which the machine (or the package tzdata) has in files.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec

from reconciler.desired.base import Record, Words, as_time, is_known
from reconciler.desired.places import Finding

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = f"({'|'.join(DAYS)})"
_DAYS = rf"{_DAY}(-{_DAY})?(,\s*{_DAY}(-{_DAY})?)*"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00"
_DAYS_AHEAD = 9
"""A window of one day a week that is missed by a moment opens again in seven days; one more for the zone."""
_MINUTES = 60
_WHOLE_DAY = 24 * _MINUTES


def is_zone(text: str) -> bool:
    """Does this machine know a time zone of this name?"""
    from zoneinfo import ZoneInfo  # only realms with windows need it

    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        return False
    return True


Days = Annotated[
    str,
    Words(
        "days such as mon-fri or sat,sun",
        lambda text: re.fullmatch(_DAYS, text, re.ASCII) is not None,
        f"^{_DAYS}$",
    ),
]
TimeOfDay = Annotated[
    str,
    Words(
        'a time such as "23:00", in quotes',
        lambda text: re.fullmatch(_TIME, text) is not None,
        f"^({_TIME})$",
    ),
]
Zone = Annotated[str, Words("a time zone that this machine knows, such as UTC or Europe/Berlin", is_zone)]


class Window(Record, frozen=True, kw_only=True):
    """A time of the week in which new commits are taken up."""

    days: Days = "mon-sun"
    """On which it opens, there; one that is open at midnight goes on until its end."""
    from_: TimeOfDay = msgspec.field(name="from")
    """When it opens."""
    to: TimeOfDay
    """When it closes; earlier than `from`: on the next day."""
    zone: Zone
    """Whose days and times these are: without it nobody knows when that is."""


class WindowClosed(msgspec.Struct, frozen=True, kw_only=True):
    """A newer commit waits until a change window opens; the one taken up last stays in force."""

    commit_name: str
    """Of the one that waits, for people."""
    in_force_name: str
    opens_at: str
    """In UTC."""
    cause: str
    """File and line of the windows, in the commit that is in force."""
    way_out: str = "at once: reconcile apply --any-time"

    @property
    def message(self) -> str:
        """Return which commit waits, and until when."""
        waits = f"{self.commit_name} waits for the change window, which opens at {self.opens_at}"
        return f"{waits}; {self.in_force_name} stays in force"

    @property
    def text(self) -> str:
        """Return which commit waits, until when, and how to have it at once."""
        return f"{self.message} ({self.way_out})"


def check_windows(windows: Sequence[Window]) -> Iterator[Finding]:
    """Yield windows that never open."""
    for number, window in enumerate(windows):
        if is_known(window, window.from_, window.to) and _never_opens(window):
            whole = 'for whole days write from: "00:00", to: "24:00"'
            same = "as from" if window.to == window.from_ else f"the moment that from: {window.from_} is"
            message = f"is {window.to}, {same}: this window never opens; {whole}"
            yield Finding(at=("apply", "windows", number, "to"), message=message)


def _never_opens(window: Window) -> bool:
    """Does it close as it opens? The end of a day, 24:00, is the beginning of the next."""
    opens, closes = _opens_at(window), _minutes(window.to)
    return closes in (opens, opens - _WHOLE_DAY)


def closed_until(windows: Sequence[Window], now: str) -> str | None:
    """Return when the first of the windows opens next, in UTC; None when one is open, or there are none."""
    moment = as_time(now)
    if not windows or moment is None:
        return None
    spans = [span for window in windows for span in _spans(window, moment)]
    if any(begin <= moment < end for begin, end in spans):
        return None
    coming = min(begin for begin, _ in spans if begin > moment)
    return coming.strftime("%Y-%m-%dT%H:%M:%SZ")


def _spans(window: Window, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield when a window opens and closes around a moment and in the days after it, in UTC."""
    from zoneinfo import ZoneInfo

    zone, days = ZoneInfo(window.zone), days_of(window.days)
    today = moment.astimezone(zone).date()
    opens, closes = _opens_at(window), _minutes(window.to)
    lasts_into_next = closes <= opens
    for ahead in range(-1, _DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        if day.weekday() in days:
            last = day + timedelta(days=1) if lasts_into_next else day
            yield _at(day, opens, zone), _at(last, closes, zone)


def _at(day: date, minutes: int, zone: "ZoneInfo") -> datetime:
    days, rest = divmod(minutes, _WHOLE_DAY)
    local = datetime.combine(day + timedelta(days=days), time(*divmod(rest, _MINUTES)), zone)
    return local.astimezone(UTC)


def days_of(text: str) -> frozenset[int]:
    """Return the days that a text names, 0 for Monday; `fri-mon` goes over the end of the week."""
    found = set[int]()
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        start = DAYS.index(first)
        found.update((start + n) % 7 for n in range((DAYS.index(last or first) - start) % 7 + 1))
    return frozenset(found)


def _opens_at(window: Window) -> int:
    return _minutes(window.from_)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * _MINUTES + int(minutes)
