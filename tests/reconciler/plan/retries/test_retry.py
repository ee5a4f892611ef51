"""When a failed run is tried again: each class of failure on its own budget, and never two at one moment."""

import pytest

from reconciler.plan.retries.retry import RetryPolicy, judge
from state.store.rows import RunRow

ONE = RetryPolicy(attempts=1, most_jitter=0.0)
POLICY = RetryPolicy(
    most_jitter=0.0,
    classes={"oom": ONE, "hardware": RetryPolicy(attempts=5, backoff_seconds=120, most_jitter=0.0)},
)
LATER = "2026-01-31T23:00:00Z"


def ended(*classes: str | None, campaign: str = "u") -> list[RunRow]:
    """Return runs in a row that failed so, each without progress; None: one that made some."""
    return [
        RunRow(
            campaign_uid=campaign, generation=1, attempt=number, state="ended", cookie="c", config_hash="h",
            config_json="{}", code_version="v", specs_commit="s", device="cpu", resume_step=0,
            launched_at="2026-01-31T12:00:00Z", ended_at=f"2026-01-31T12:{number:02}:00Z",
            end="failed" if one else "finished", failure_class=one,
            last_checkpoint_step=None if one else 10,
        )
        for number, one in enumerate(classes, start=1)
    ]  # fmt: skip


def test_a_class_with_a_budget_of_its_own_is_given_up_when_that_is_spent() -> None:
    found = judge(ended("oom"), POLICY, None, LATER)
    assert (found.given_up, found.failures, found.failure_class) == (True, 1, "oom")


def test_failures_of_other_classes_do_not_spend_a_classs_budget() -> None:
    assert judge(ended(*["hardware"] * 4, "unknown", "nan"), POLICY, None, LATER).ready
    found = judge(ended("hardware", "unknown", "hardware", "nan", *["hardware"] * 3), POLICY, None, LATER)
    assert (found.given_up, found.failures, found.failure_class) == (True, 5, "hardware")


def test_classes_without_a_budget_share_that_of_all() -> None:
    found = judge(ended("nan", "hardware", "unknown", "stuck"), POLICY, None, LATER)
    assert (found.given_up, found.failures, found.failure_class) == (True, 3, None)


def test_the_wait_of_a_class_is_its_own_and_doubles_with_its_own_failures() -> None:
    found = judge(ended("unknown", "hardware", "hardware"), POLICY, None, "2026-01-31T12:03:00Z")
    assert (found.ready, found.not_before) == (False, "2026-01-31T12:07:00Z")


@pytest.mark.parametrize("failures", [("oom",), ("hardware",) * 5, ("unknown",) * 3])
def test_a_run_that_ends_well_gives_every_budget_back(failures: tuple[str, ...]) -> None:
    assert judge(ended(*failures), POLICY, None, LATER).given_up
    assert judge([*ended(*failures, None)], POLICY, None, LATER).ready


def test_what_failed_together_is_not_tried_together_and_each_plan_says_the_same_moment() -> None:
    policy = RetryPolicy(backoff_seconds=1000.0)
    moments = [
        judge(ended("unknown", campaign=f"u{number}"), policy, None, "2026-01-31T12:01:00Z").not_before
        for number in range(50)
    ]
    assert len(set(moments)) > 30
    assert all("2026-01-31T12:17:40Z" <= str(moment) <= "2026-01-31T12:21:00Z" for moment in moments)
    again = judge(ended("unknown", campaign="u7"), policy, None, "2026-01-31T12:02:00Z").not_before
    assert again == moments[7]
