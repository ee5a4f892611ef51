"""What is never dropped, whatever the rules say: promise 2 of the software, each with its own reason.

The best by each metric and the milestones of that promise are in `keep_rules`: no rule takes them away.
"""

from collections.abc import Iterable, Iterator
from itertools import compress, count, repeat
from operator import gt, sub

from reconciler.plan.retention.history import History
from reconciler.plan.retention.records import Reference
from reconciler.plan.retention.rules import Rules
from state.amounts import duration


def protections(
    history: History, rules: Rules, pins: Iterable[str], references: Iterable[Reference], now: float
) -> Iterator[tuple[int, str]]:
    """Yield position and reason of everything protected."""
    if not rules.keeps_by_rule:  # whoever gives no rule asks for nothing to go
        yield from ((at, NO_RULE) for at in range(len(history.records)))
    yield from _newest(history)
    yield from _young(history, rules, now)
    yield from ((at, NOT_COMPLETE) for at in history.strange)
    wanted = [*(Reference(id=pin, reason="pinned") for pin in pins), *references]
    yield from _wanted(history, wanted)


NO_RULE = "no rule is given"
NOT_COMPLETE = "does not lie there whole as it was recorded; what is not understood is kept"


def _newest(history: History) -> Iterator[tuple[int, str]]:
    if history.healthy:
        yield history.healthy[-1], "the newest healthy one"
    complete = (at for at in reversed(range(len(history.records))) if history.records[at].complete)
    for at in complete:
        yield at, "the newest one"
        return


def _young(history: History, rules: Rules, now: float) -> Iterator[tuple[int, str]]:
    """Yield what is too young, by observed time; what was recorded in its future is too."""
    limit, recorded = rules.minimum_age_seconds, history.recorded
    if not recorded or now - max(recorded) >= limit:
        return
    reason = too_young(limit)
    is_young = map(gt, repeat(limit), map(sub, repeat(now), recorded))
    yield from ((at, reason) for at in compress(count(), is_young))


def too_young(minimum_age_seconds: float) -> str:
    """Return the reason to keep what was recorded a shorter time ago than this."""
    return f"recorded less than {duration(minimum_age_seconds)} ago"


def _wanted(history: History, references: Iterable[Reference]) -> Iterator[tuple[int, str]]:
    """Yield what something refers to. An id is compared whole: `...@100` is not `...@1000`."""
    reasons: dict[str, list[str]] = {}
    for reference in references:
        reasons.setdefault(reference.id, []).append(reference.reason)
    if reasons:
        for at in compress(count(), map(reasons.__contains__, history.ids)):
            yield from ((at, reason) for reason in reasons[history.ids[at]])
