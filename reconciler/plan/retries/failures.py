"""Where failures of a job go: after two it goes behind the others, after the third it has failed.

A run that failed while it trained a quest counts against that quest, until a run makes progress again or a
person forgives it. What is wrong with the data itself fails the job at once: the same rows fail again.
"""

from collections.abc import Iterable

from reconciler.plan.retries.retry import is_forgiven, made_progress
from state.store.rows import JobRow, RunRow

ATTEMPTS = 3
DEMOTED_AFTER = 2
_OF_THE_QUEST = frozenset({"nan", "diverged", "oom", "unknown"})
"""Classes of failure that another quest might not meet; of `environment` no quest is guilty."""


def failures_of(job: JobRow, runs: Iterable[RunRow], forgiven_at: str | None, now: str) -> tuple[RunRow, ...]:
    """Return the last runs in a row that failed at a job without progress, oldest first."""
    found: list[RunRow] = []
    for run in sorted(runs, key=lambda run: (run.generation, run.attempt)):
        if run.quest_id != job.order_id:
            continue
        went_well = run.failure_class is None and made_progress(run)
        if went_well or is_forgiven(run.ended_at or "", forgiven_at, now):
            found = []
        elif run.failure_class in _OF_THE_QUEST:
            found = [run] if made_progress(run) else [*found, run]
    return tuple(found)


def is_charged(run: RunRow, jobs: Iterable[JobRow]) -> bool:
    """Is this failure one of a job that has failed for it? Then it does not count against the campaign."""
    failed = (job for job in jobs if job.status == "failed")
    return run.failure_class in _OF_THE_QUEST and any(run.quest_id == job.order_id for job in failed)
