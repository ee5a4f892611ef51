"""The rules, one function each: position in the history and the reason to keep what lies there."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from heapq import nlargest, nsmallest
from math import isfinite

from reconciler.plan.retention.calendar_rules import by_calendar
from reconciler.plan.retention.history import History
from reconciler.plan.retention.rules import ALL, Best, Rules
from state.amounts import size
from state.held_out_rows import newest_rows

Rule = Callable[[History, Rules], Iterator[tuple[int, str]]]


def reasons_by_rule(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Yield position and reason of everything that a rule keeps."""
    for rule in RULES:
        yield from rule(history, rules)


def by_count(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Keep the newest healthy ones: a rolling window."""
    if rules.last == 0:
        return
    window = history.healthy if rules.last == ALL else history.healthy[-rules.last :]
    reason = "every healthy one" if rules.last == ALL else f"one of the last {rules.last}"
    yield from ((at, reason) for at in window)


def by_size(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Keep the newest healthy ones that fit into so many bytes together: a window by size."""
    if rules.last_bytes is None:
        return
    taken, reason = 0, f"one of the newest that fit into {size(rules.last_bytes)}"
    for at in reversed(history.healthy):
        taken += history.records[at].size_bytes
        if taken > rules.last_bytes:
            return
        yield at, reason


def by_steps(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Keep the first at or after each multiple of so many steps, in each segment."""
    every = rules.every_steps
    if every is None:
        return
    for positions in _by_step(history, history.healthy):
        found = _first_from(history, positions, every)
        while found < len(positions):
            at = positions[found]
            yield at, f"every {every:,} steps"
            found = _first_from(history, positions, (history.steps[at] // every + 1) * every)


def by_age(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Keep those saved within a duration before the newest healthy one."""
    if rules.within_seconds is None or not history.healthy:
        return
    newest = history.times[history.healthy[-1]]
    span = timedelta(seconds=rules.within_seconds)
    for at in reversed(history.healthy):
        if newest - history.times[at] >= span:
            return
        yield at, f"saved within {span} of the newest"


def by_metric(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Keep the best values of each metric that the rules name; the one best wherever none is asked.

    Of held-out losses those on the newest held-out rows, and the lowest of all, which earlier rows may have.
    """
    for best in rules.best:
        ranked, rows = best_positions(history, best, history.healthy), _newest_rows(history, best)
        named = [(ranked[:1], f"the best by {best.metric}")]
        named += [(ranked[1:], f"one of the best {best.count} by {best.metric}")]
        if rows is None:
            yield from ((at, reason) for positions, reason in named for at in positions)
        else:
            yield from _by_rows(history, best, named, rows)


def _by_rows(
    history: History, best: Best, named: Iterable[tuple[Sequence[int], str]], rows: str
) -> Iterator[tuple[int, str]]:
    """Keep the best on the newest held-out rows and the best of all, each with its rows."""
    records = history.records
    alike = [at for at in history.healthy if records[at].measured_on == rows]
    newest = best_positions(history, best, alike)
    yield from ((at, f"the best by {best.metric} on the newest held-out rows ({rows})") for at in newest[:1])
    others = f"one of the best {best.count} by {best.metric} on the newest held-out rows ({rows})"
    yield from ((at, others) for at in newest[1:])
    told = set(newest)
    for positions, reason in named:
        for at in positions:
            if at not in told:
                yield at, f"{reason}, on other held-out rows ({records[at].measured_on})"


def _newest_rows(history: History, best: Best) -> str | None:
    """Return the held-out rows that a metric was measured on last; None: on one set alone, or it has none."""
    if not best.of_held_out_rows or len(history.measured) <= 1:
        return None
    there = {history.records[at].measured_on for at in history.healthy}
    return newest_rows(((at, rows) for rows, at in history.measured.items()), there)


def best_positions(history: History, best: Best, among: Sequence[int]) -> list[int]:
    """Return the positions of the best values, at least one, the best first; of equal ones the newer first.

    What was not measured, or is not finite, has no value: it displaces nothing.
    """
    name, records, is_lower = best.metric, history.records, best.direction == "lower"
    values = [records[at].metrics.get(name) for at in among]
    measured = [value for value in values if value is not None]
    if not isfinite(sum(measured)):  # a sum with one that is not finite is not finite
        values = [value if value is not None and isfinite(value) else None for value in values]
        measured = [value for value in values if value is not None]
    if not measured:
        return []
    count = len(measured) if best.count == ALL else max(best.count, 1)
    last = (nsmallest if is_lower else nlargest)(count, measured)[-1]
    pairs = zip(values, among, strict=True)
    if is_lower:
        found = [(value, -at) for value, at in pairs if value is not None and value <= last]
    else:
        found = [(-value, -at) for value, at in pairs if value is not None and value >= last]
    return [-at for _, at in sorted(found)[:count]]


def by_end(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Keep the one recorded last."""
    if rules.final and history.records:
        yield len(history.records) - 1, "the final one"


def by_tag(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Keep those with one of the tags, healthy or not."""
    if not rules.tags:
        return
    for at in [at for at, record in enumerate(history.records) if record.tags]:
        yield from ((at, f"tagged {tag}") for tag in history.records[at].tags if tag in rules.tags)


def by_milestone(history: History, rules: Rules) -> Iterator[tuple[int, str]]:
    """Keep the first at or after each milestone, in each segment, healthy or not."""
    if not rules.milestones:
        return
    for positions in _by_step(history, range(len(history.records))):
        for milestone in rules.milestones:
            found = _first_from(history, positions, milestone)
            yield from ((at, f"milestone {milestone:,}") for at in positions[found : found + 1])


def _by_step(history: History, positions: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the positions of each segment, smallest step first."""
    if history.is_straight:
        yield positions
        return
    segments: dict[int, list[int]] = {}
    for at in positions:
        segments.setdefault(history.segments[at], []).append(at)
    for group in segments.values():
        group.sort(key=history.steps.__getitem__)
        yield group


def _first_from(history: History, positions: Sequence[int], step: int) -> int:
    """Return the place in positions ordered by step of the first at or after a step."""
    return bisect_left(positions, step, key=history.steps.__getitem__)


RULES: tuple[Rule, ...] = (
    by_count,
    by_size,
    by_steps,
    by_calendar,
    by_age,
    by_metric,
    by_end,
    by_tag,
    by_milestone,
)
