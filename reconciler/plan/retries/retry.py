"""When what failed may be tried again: the runs of a campaign, the fetch of a quest's content."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from reconciler.desired.realm import Realm, duration_seconds
from state.store.rows import RunRow

_MOST_DOUBLINGS = 64
"""Longer than any wait; of a thousand the number would be none any more."""
OF_SETTINGS = "settings"
"""The class of failures that the same settings only repeat: one is the last."""
_BAD_ENDS = ("failed", "lost", "never_started")
_CLASSES = ("oom", "nan", "environment", "hardware", "stuck", "lost", "unknown")
"""Those that a realm may give a budget of their own; of the others one failure is the last, or is none."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how soon a failed run is tried again; progress starts the count anew."""

    attempts: int = 3
    backoff_seconds: float = 30.0
    """Before the second try; doubled for each further one."""
    longest_backoff_seconds: float = 1800.0
    most_jitter: float = 0.2
    """The share of a wait that is added to it at most; the same failure gets the same."""
    classes: Mapping[str, "RetryPolicy"] = {}
    """Of the classes of failure that have a budget of their own."""

    def of(self, failure_class: str | None) -> "RetryPolicy":
        """Return the policy for a class of failure."""
        return self.classes.get(failure_class or "", self)


def policy_of(realm: Realm) -> RetryPolicy:
    """Return how the realm wants failures to be tried again."""
    retry = realm.apply.retry
    longest = duration_seconds(retry.longest_backoff)
    given = {name: one for name in _CLASSES if (one := getattr(retry, name)) is not None}
    return RetryPolicy(
        attempts=retry.attempts,
        backoff_seconds=duration_seconds(retry.backoff),
        longest_backoff_seconds=longest,
        classes={
            name: RetryPolicy(
                attempts=one.attempts or retry.attempts,
                backoff_seconds=duration_seconds(one.backoff or retry.backoff),
                longest_backoff_seconds=longest,
            )
            for name, one in given.items()
        },
    )


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """May the next attempt start?"""

    ready: bool
    given_up: bool = False
    failures: int = 0
    not_before: str | None = None
    last: RunRow | None = None
    failure_class: str | None = None
    """Of the failures that were counted, where they have a budget of their own, or get no other try."""


def judge(runs: Sequence[RunRow], policy: RetryPolicy, forgiven_at: str | None, now: str) -> Verdict:
    """Say whether a campaign may be launched, from how its runs ended.

    Only the failures since the last run that made progress, ended well or was forgiven count.
    """
    failures = _recent_failures(runs, forgiven_at, now)
    if not failures or [run.end for run in failures] == ["never_started"]:
        return Verdict(ready=True)  # one launch that was cut short is no sign of anything
    last = failures[-1]
    if last.failure_class == OF_SETTINGS:
        return Verdict(
            ready=False, given_up=True, failures=len(failures), last=last, failure_class=OF_SETTINGS
        )
    counted, own = _on_its_budget(failures, policy)
    key = f"{last.campaign_uid}/g{last.generation}-a{last.attempt}"
    verdict = _after(counted, last.ended_at or now, own, now, key)
    of_class = next((name for name, one in policy.classes.items() if one is own), None)
    return msgspec.structs.replace(verdict, last=last, failure_class=of_class)


def _on_its_budget(failures: Sequence[RunRow], policy: RetryPolicy) -> tuple[int, RetryPolicy]:
    """Return how many failures in a row the last one's budget has had, and that budget; a spent one first."""
    budgets: dict[str, int] = {}
    for run in failures:
        name = class_of(run) if class_of(run) in policy.classes else ""
        budgets[name] = budgets.get(name, 0) + 1
    spent = [name for name, number in budgets.items() if number >= policy.of(name).attempts]
    name = spent[0] if spent else class_of(failures[-1])
    name = name if name in policy.classes else ""
    return budgets[name], policy.of(name)


def class_of(run: RunRow) -> str:
    """Return the class of a run's failure; one that left no word is lost."""
    return run.failure_class or ("unknown" if run.end == "failed" else "lost")


def judge_moments(
    failed_at: Sequence[str], policy: RetryPolicy, forgiven_at: str | None, now: str, key: str
) -> Verdict:
    """Say whether what `key` names, and failed at these moments, oldest first, may be tried again."""
    counted = [moment for moment in failed_at if not is_forgiven(moment, forgiven_at, now)]
    if not counted:
        return Verdict(ready=True)
    return _after(len(counted), counted[-1], policy, now, f"{key} {len(counted)}")


def _after(failures: int, last_at: str, policy: RetryPolicy, now: str, key: str) -> Verdict:
    """Say what so many failures in a row, the last of them then, mean now; `key` names the last one."""
    if failures >= policy.attempts:
        return Verdict(ready=False, given_up=True, failures=failures)
    doubled = policy.backoff_seconds * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
    seconds = min(doubled, policy.longest_backoff_seconds)
    not_before = _moment(last_at) + timedelta(seconds=seconds * (1.0 + policy.most_jitter * share_of(key)))
    jumped = last_at > now  # the clock was set back: how long ago it was, nobody knows
    ready = jumped or not_before <= _moment(now)
    return Verdict(ready=ready, failures=failures, not_before=_text(not_before))


def _recent_failures(runs: Sequence[RunRow], forgiven_at: str | None, now: str) -> list[RunRow]:
    failures: list[RunRow] = []
    for run in sorted(runs, key=lambda run: (run.generation, run.attempt)):
        if run.state != "ended":
            continue
        if run.end not in _BAD_ENDS or is_forgiven(run.ended_at or "", forgiven_at, now):
            failures = []
        elif made_progress(run):
            failures = [run] if run.end == "failed" else []
        else:
            failures.append(run)
    return failures


def is_forgiven(ended_at: str, forgiven_at: str | None, now: str) -> bool:
    """Did a person resume after this end? One in the future is from before the clock jumped."""
    return forgiven_at is not None and (ended_at <= forgiven_at or ended_at > now)


def made_progress(run: RunRow) -> bool:
    """Did it save a checkpoint beyond the one that it went on from?"""
    return run.last_checkpoint_step is not None and run.last_checkpoint_step > (run.resume_step or 0)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def share_of(key: str) -> float:
    """Return a number from 0 to 1 that looks like chance and is the same for the same key."""
    return zlib.crc32(key.encode()) / 0xFFFFFFFF
