"""What two commits do otherwise with the same thing, in words."""

import pytest

from reconciler.plan import actions as a
from reconciler.plan.review.differences import differences

ENQUEUE = {
    "job_uid": "j",
    "quest_id": "q1",
    "campaign": "pip/campaign-001",
    "campaign_uid": "u",
    "source_key": "sha256:aa",
    "dataset_path": "a.jsonl",
    "shape": "alpaca",
    "priority": "normal",
    "epochs": 1,
}
COMMAND = ("python", "-m", "trainer", "generate", "bin", "--count", "10", "--seed", "7")


def enqueued(**changed: object) -> a.EnqueueJob:
    return a.EnqueueJob(**{**ENQUEUE, **changed})


def generated(*command: str) -> a.GenerateQuest:
    return a.GenerateQuest(
        quest_id="q1", source_key=" ".join(command), skill="bin", command=command, expected_digest=None
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, ()),
        ({"priority": "high"}, ("priority high instead of normal",)),
        (
            {"priority": "high", "epochs": 3},
            ("priority high instead of normal", "epochs 3 instead of 1"),
        ),
        ({"follows": True}, ("follows true instead of false",)),
        ({"source_key": "sha256:bb", "dataset_path": "b.jsonl"}, ("other content",)),
        ({"source_key": "sha256:bb", "epochs": 2}, ("epochs 2 instead of 1",)),
    ],
    ids=["nothing", "one", "two", "yes or no", "what nobody reads, once", "what can be read alone"],
)
def test_each_difference_is_a_value_instead_of_another(changed: dict, told: tuple[str, ...]) -> None:
    assert differences(enqueued(**changed), enqueued()) == told


def test_the_options_of_a_command_are_told_by_their_names() -> None:
    other = (*COMMAND[:6], "20", *COMMAND[7:])
    assert differences(generated(*other), generated(*COMMAND)) == ("count 20 instead of 10",)
    without = differences(generated(*COMMAND[:-2]), generated(*COMMAND))
    assert without == ("seed none instead of 7",)


def test_of_many_differences_the_first_are_told_and_the_others_counted() -> None:
    many = (*COMMAND[:5], *(word for number in range(6) for word in (f"--o{number}", "1")))
    fewer = (*COMMAND[:5], *(word for number in range(6) for word in (f"--o{number}", "2")))
    assert differences(generated(*many), generated(*fewer)) == (
        *(f"o{number} 1 instead of 2" for number in range(4)),
        "2 more",
    )
