"""Is what a snapshot of facts says possible at all? It is hostile input: what is not is refused by its place.

Its shape and the types of its values are checked when it is decoded. Here: numbers that count or measure
something are finite and not negative, moments of the store are moments, and its rows are of its campaigns.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import msgspec

from reconciler.observed.facts import Facts

_MEASURES = re.compile(r"(.*_)?(bytes|seconds|rows|examples|updates|step|steps|epochs|size|ticks)|num_.*")
_MOMENTS = re.compile(r".*_at|timestamp")
_MOST_AHEAD = timedelta(days=1)
"""So far the clock of the other machine may be ahead."""


def first_impossible(facts: Facts, seen_at: str, now: str) -> str | None:
    """Return the first thing that cannot be, with its place in the file; None when there is none."""
    found = _wrong_moment("seen_at", seen_at)
    if found is None and _moment(seen_at) > _moment(now) + _MOST_AHEAD:
        found = f"seen_at is {seen_at}, more than a day after now, {now}"
    return found or next(chain(_in_numbers("facts", facts), _in_rows(facts), _in_moments(facts)), None)


def _in_numbers(place: str, value: Any) -> Iterator[str]:
    """Yield the numbers that are negative or not finite although they count or measure something."""
    for name, inner in _parts(value):
        where = f"{place}.{name}" if name.isidentifier() else f"{place}[{name}]"
        is_number = isinstance(inner, (int, float)) and not isinstance(inner, bool)
        if is_number and _MEASURES.fullmatch(name) and not (math.isfinite(inner) and inner >= 0):
            yield f"{where} is {inner}; expected a number from 0 up"
        elif not is_number:
            yield from _in_numbers(where, inner)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, msgspec.Struct):
        yield from ((name, getattr(value, name)) for name in value.__struct_fields__)
    elif isinstance(value, Mapping):
        yield from ((str(name), inner) for name, inner in value.items())
    elif isinstance(value, (tuple, list)):
        yield from ((str(at), inner) for at, inner in enumerate(value))


def _in_rows(facts: Facts) -> Iterator[str]:
    """Yield the rows of the store that are of a campaign which it does not know."""
    known = {row.uid for row in facts.store.campaigns}
    for table in ("runs", "jobs", "ledger", "segments", "trash"):
        for at, row in enumerate(getattr(facts.store, table)):
            if row.campaign_uid not in known:
                yield f"facts.store.{table}[{at}].campaign_uid is {row.campaign_uid!r}, of no campaign in it"


def _in_moments(facts: Facts) -> Iterator[str]:
    """Yield the moments of the store that are none."""
    store = facts.store
    places: list[tuple[str, Any]] = [("facts.store.", store)]
    for name, rows in _parts(store):
        if isinstance(rows, tuple):
            places += [(f"facts.store.{name}[{at}].", row) for at, row in enumerate(rows)]
    for where, row in places:
        for field, moment in _parts(row):
            if _MOMENTS.fullmatch(field) and isinstance(moment, str):
                yield from filter(None, [_wrong_moment(f"{where}{field}", moment)])


def _wrong_moment(place: str, text: str) -> str | None:
    try:
        is_moment = text.endswith("Z") and _moment(text).tzinfo is not None
    except ValueError:
        is_moment = False
    return None if is_moment else f"{place} is {text!r}; expected a moment such as 2026-01-31T12:00:00Z"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
