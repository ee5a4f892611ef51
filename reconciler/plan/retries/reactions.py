"""What follows when a run failed, class by class, in words of what the plan does then. Pure."""

from collections.abc import Mapping

from reconciler.plan.retries.failures import ATTEMPTS, DEMOTED_AFTER
from reconciler.plan.retries.retry import RetryPolicy
from state.amounts import count, duration

_AGAIN = "it is launched again from the newest whole checkpoint, {tries}"
_OF_THE_QUEST = (
    f"{_AGAIN}; it counts against its quest, which goes behind the others after {DEMOTED_AFTER} such "
    f"failures and has failed after {ATTEMPTS}"
)
_REACTIONS: Mapping[str, str] = {
    "oom": _OF_THE_QUEST,
    "nan": _OF_THE_QUEST,
    "unknown": _OF_THE_QUEST,
    "data": "its quest has failed at once, as it would again: mend the rows, then reconcile retry QUEST",
    "diverged": "it goes back to the last healthy checkpoint with lower rates (loss_guard.rollbacks)",
    "environment": _AGAIN,
    "settings": "it is not launched again with these settings: change what it names; or mend the model, then "
    "reconcile resume CAMPAIGN",
    "hardware": _AGAIN,
    "stuck": _AGAIN,
    "in_the_way": f"{_AGAIN}; nothing is launched while something lies there",
    "preempted": "it saved and is launched again at once; that is no failure",
}


def reaction_to(failure_class: str, policy: RetryPolicy) -> str:
    """Return what follows; of a class that only a newer trainer knows, what follows of an unknown failure."""
    policy = policy.of(failure_class)
    first = duration(policy.backoff_seconds)
    tries = f"at most {count(policy.attempts, 'time')} in a row without progress, {first} later at first"
    return _REACTIONS.get(failure_class, _REACTIONS["unknown"]).format(tries=tries)
