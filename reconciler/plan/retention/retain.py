"""`retain`: a verdict with its reasons for every checkpoint of one campaign. No I/O, no clock.

A rule is a reason to keep, a protection is another; dropping is the absence of both. So one more rule, pin
or reference can only keep more.
"""

import math
from collections.abc import Iterable

from reconciler.plan.retention.history import History, history_of
from reconciler.plan.retention.keep_rules import reasons_by_rule
from reconciler.plan.retention.protections import protections
from reconciler.plan.retention.records import MalformedRecords, Record, Reference, Verdict
from reconciler.plan.retention.rules import Rules
from state.amounts import size


def retain(
    records: Iterable[Record],
    rules: Rules,
    pins: Iterable[str] = (),
    references: Iterable[Reference] = (),
    now: float = 0.0,
) -> tuple[Verdict, ...]:
    """Return what is to become of each checkpoint that is not gone, oldest first.

    `now` is the realm's observed time in seconds; the times of saving are compared only with each other.

    Raises:
        MalformedRecords: the records contradict each other; the caller deletes nothing.
    """
    if not math.isfinite(now):
        raise MalformedRecords(f"the observed time is {now}; expected seconds")
    history = history_of(records)
    reasons: dict[int, dict[str, None]] = {}
    for at, reason in reasons_by_rule(history, rules):
        reasons.setdefault(at, {})[reason] = None
    for at, reason in protections(history, rules, pins, references, now):
        reasons.setdefault(at, {})[reason] = None
    return _verdicts(history, reasons, rules)


def _verdicts(history: History, reasons: dict[int, dict[str, None]], rules: Rules) -> tuple[Verdict, ...]:
    rolled = (_rolled_out(rules),)
    unhealthy = ("not healthy, and nothing needs it",)
    verdicts = [
        Verdict(id=record.id, decision="drop", reasons=rolled if record.healthy else unhealthy)
        for record in history.records
    ]
    for at, found in reasons.items():
        verdicts[at] = Verdict(id=history.ids[at], decision="keep", reasons=tuple(found))
    return tuple(verdicts)


def _rolled_out(rules: Rules) -> str:
    """Return why a healthy checkpoint goes, by the window that it has left."""
    if rules.last:
        return f"rolled out of the last {rules.last}"
    if rules.last_bytes is not None:
        return f"rolled out of the newest that fit into {size(rules.last_bytes)}"
    return "no rule keeps it"
