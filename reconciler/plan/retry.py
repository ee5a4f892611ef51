"""When a campaign whose runs fail may be launched again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from state.store.rows import RunRow

_BAD_ENDS = ("failed", "lost", "never_started")


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how soon a failed run is tried again; progress starts the count anew."""

    attempts: int = 3
    backoff_seconds: float = 30.0
    """Before the second try; doubled for each further one."""
    longest_backoff_seconds: float = 1800.0


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """May the next attempt start?"""

    ready: bool
    given_up: bool = False
    failures: int = 0
    not_before: str | None = None
    last: RunRow | None = None


def judge(runs: Sequence[RunRow], policy: RetryPolicy, forgiven_at: str | None, now: str) -> Verdict:
    """Say whether a campaign may be launched, from how its runs ended.

    Only the failures since the last run that made progress, ended well or was forgiven count.
    """
    failures = _recent_failures(runs, forgiven_at, now)
    if not failures or [run.end for run in failures] == ["never_started"]:
        return Verdict(ready=True)  # one launch that was cut short is no sign of anything
    last = failures[-1]
    if len(failures) >= policy.attempts:
        return Verdict(ready=False, given_up=True, failures=len(failures), last=last)
    seconds = min(policy.backoff_seconds * 2 ** (len(failures) - 1), policy.longest_backoff_seconds)
    not_before = _moment(last.ended_at or now) + timedelta(seconds=seconds)
    jumped = (last.ended_at or now) > now  # the clock was set back: how long ago it was, nobody knows
    ready = jumped or not_before <= _moment(now)
    return Verdict(ready=ready, failures=len(failures), not_before=_text(not_before), last=last)


def _recent_failures(runs: Sequence[RunRow], forgiven_at: str | None, now: str) -> list[RunRow]:
    failures: list[RunRow] = []
    for run in sorted(runs, key=lambda run: (run.generation, run.attempt)):
        if run.state != "ended":
            continue
        if run.end not in _BAD_ENDS or _is_forgiven(run, forgiven_at, now):
            failures = []
        elif _made_progress(run):
            failures = [run] if run.end == "failed" else []
        else:
            failures.append(run)
    return failures


def _is_forgiven(run: RunRow, forgiven_at: str | None, now: str) -> bool:
    """Did a person resume after this run ended? An end in the future is from before the clock jumped."""
    ended_at = run.ended_at or ""
    return forgiven_at is not None and (ended_at <= forgiven_at or ended_at > now)


def _made_progress(run: RunRow) -> bool:
    return run.last_checkpoint_step is not None and run.last_checkpoint_step > (run.resume_step or 0)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
