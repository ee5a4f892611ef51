"""What follows from each class of failure, in words."""

from typing import get_args

import pytest

from reconciler.plan.retries.reactions import _REACTIONS, reaction_to
from reconciler.plan.retries.retry import RetryPolicy
from state.contract.exit import FailureClass


def test_every_class_of_failure_has_its_reaction_and_none_is_of_nothing() -> None:
    assert set(_REACTIONS) == set(get_args(FailureClass))


@pytest.mark.parametrize(
    ("failure_class", "expected"),
    [
        (
            "hardware",
            "launched again from the newest whole checkpoint, at most 5 times in a row without progress, 1 min",
        ),
        (
            "oom",
            "counts against its quest, which goes behind the others after 2 such failures and has failed after 3",
        ),
        ("data", "mend the rows, then reconcile retry QUEST"),
        ("diverged", "goes back to the last healthy checkpoint with lower rates"),
        ("preempted", "launched again at once; that is no failure"),
        ("of a newer version", "counts against its quest"),
    ],
)
def test_the_reaction_names_the_realms_own_numbers(failure_class: str, expected: str) -> None:
    assert expected in reaction_to(failure_class, RetryPolicy(attempts=5, backoff_seconds=60))
