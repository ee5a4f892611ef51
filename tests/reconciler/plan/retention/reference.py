"""The rules once more, as a person would write them down: slow, plain, and by other means than the real ones.

An oracle for the tests and the peer of the benchmark. Knows nothing of protections.
"""

import math
from datetime import UTC, datetime, timedelta

FORMS = {
    "hourly": "%Y-%m-%d %H",
    "daily": "%Y-%m-%d",
    "weekly": "%G-%V",
    "monthly": "%Y-%m",
    "yearly": "%Y",
}


def kept_by_rules(records, rules) -> set[str]:
    """Return the ids that a rule keeps."""
    ordered = sorted(records, key=lambda record: record.sequence)
    times, latest = {}, None
    for record in ordered:
        time = datetime.fromisoformat(record.saved_at).astimezone(UTC)
        latest = time if latest is None or time > latest else latest
        times[record.id] = latest
    everything = ordered
    ordered = [record for record in ordered if not record.gone]
    good = [record for record in ordered if record.healthy and record.complete]
    newest_first = good[::-1]
    kept = (
        _counted(newest_first, times, rules) | _best(good, everything, rules) | _stepped(good, ordered, rules)
    )
    kept |= _sized(newest_first, rules)
    if rules.within_seconds is not None and good:
        since = times[good[-1].id] - timedelta(seconds=rules.within_seconds)
        kept |= {record.id for record in good if times[record.id] > since}
    kept |= {record.id for record in ordered if set(record.tags) & set(rules.tags)}
    if rules.final and ordered:
        kept.add(ordered[-1].id)
    return kept


def _counted(newest_first, times, rules) -> set[str]:
    kept, left, before = set(), {"last": rules.last}, {"last": None}
    left |= {name: getattr(rules, name) for name in FORMS}
    for number, record in enumerate(newest_first):
        for name in left:
            if left[name] == 0:
                continue
            bucket = times[record.id].strftime(FORMS[name]) if name != "last" else number
            is_oldest = number == len(newest_first) - 1
            if bucket != before.get(name) or is_oldest:
                kept.add(record.id)
                before[name] = bucket
                left[name] -= 1 if left[name] > 0 else 0
    return kept


def _sized(newest_first, rules) -> set[str]:
    """Return the longest row of the newest that is no larger than it may be."""
    if rules.last_bytes is None:
        return set()
    rows = [newest_first[:number] for number in range(len(newest_first) + 1)]
    fitting = [row for row in rows if sum(one.size_bytes for one in row) <= rules.last_bytes]
    return {one.id for one in fitting[-1]}


def _best(good, everything, rules) -> set[str]:
    kept = set()
    on = [record.measured_on for record in everything if record.measured_on]
    left = [rows for rows in on if rows in {record.measured_on for record in good}]
    for best in rules.best:
        kept |= _best_of(good, best)
        if best.of_held_out_rows and left:
            kept |= _best_of([record for record in good if record.measured_on == left[-1]], best)
    return kept


def _best_of(good, best) -> set[str]:
    measured = [r for r in good if isinstance(r.metrics.get(best.metric), float)]
    measured = [r for r in measured if math.isfinite(r.metrics[best.metric])]
    measured.sort(key=lambda r: r.sequence, reverse=True)
    measured.sort(key=lambda r: r.metrics[best.metric], reverse=best.direction == "higher")
    count = len(measured) if best.count == -1 else max(1, best.count)
    return {record.id for record in measured[:count]}


def _stepped(good, everything, rules) -> set[str]:
    kept = set()
    first = {}
    for record in sorted(good, key=lambda record: record.step):
        if rules.every_steps is not None and record.step >= rules.every_steps:
            first.setdefault((record.segment, record.step // rules.every_steps), record.id)
    kept |= set(first.values())
    for milestone in rules.milestones:
        reached = {}
        for record in sorted(everything, key=lambda record: record.step):
            if record.step >= milestone:
                reached.setdefault(record.segment, record.id)
        kept |= set(reached.values())
    return kept
