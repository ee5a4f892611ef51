"""The checkpoint that a step means, alone or with a segment."""

import pytest

from reconciler.app.looking.checkpoint_named import chosen
from reconciler.app.looking.items import CheckpointItem
from reconciler.app.surroundings.errors import NotFound

PIP = "pip/campaign-001"


def item(which: str, segment: int) -> CheckpointItem:
    step = int(which.rpartition(":")[2])
    return CheckpointItem(
        id=f"{PIP}@{which}", state="complete", step=step, segment=segment, is_living=":" not in which,
        path=f"/realm/{which}", hero_id="pip", campaign_id="campaign-001", size_bytes=10,
    )  # fmt: skip


REWOUND = [item("60", 1), item("1:80", 1), item("1:100", 1), item("2:55", 2), item("80", 3), item("100", 3)]
"""Segment 2 is a release's branch; segment 3 began at step 60, and is the living one."""


@pytest.mark.parametrize(
    ("asked", "found"),
    [("100", "100"), ("1:100", "1:100"), ("3:100", "100"), ("1:60", "60"), ("2:55", "2:55")],
)
def test_a_step_of_the_living_history_may_have_the_number_of_its_segment_before_it(
    asked: str, found: str
) -> None:
    assert chosen(PIP, REWOUND, asked).id == f"{PIP}@{found}"


@pytest.mark.parametrize("asked", ["3:60", "2:100"])
def test_a_segment_that_did_not_make_that_step_is_told_which_checkpoint_is_meant(asked: str) -> None:
    with pytest.raises(NotFound, match=f'did you mean "{PIP}@{asked[2:]}"'):
        chosen(PIP, REWOUND, asked)
