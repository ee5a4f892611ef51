"""How long a run may get no further in what it does."""

import pytest

from state.contract.patience import patience_seconds
from state.contract.status import RunStatus


def a_status(**changes: object) -> RunStatus:
    usual: dict[str, object] = {
        "phase": "training", "updated_at": "2026-01-31T12:00:00Z", "orders_sequence": 1, "step": 5,
        "quest_update": 5, "quest_updates": 9, "update_seconds": 1.0, "save_seconds": 30.0,
    }  # fmt: skip
    return RunStatus(**(usual | changes))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, 600.0),
        ({"update_seconds": 90.0}, 900.0),
        ({"update_seconds": None}, 3600.0),
        ({"quest_update": 0}, 3600.0),
        ({"phase": "starting", "update_seconds": None}, 3600.0),
        ({"phase": "evaluating"}, 3600.0),
        ({"phase": "saving"}, 3600.0),
        ({"phase": "saving", "save_seconds": 500.0}, 5000.0),
        ({"phase": "stopping", "save_seconds": None}, 3600.0),
        ({"phase": "paused"}, None),
    ],
    ids=[
        "an update", "ten slow updates", "no update yet", "the first of a quest", "loading", "measuring",
        "saving", "slow saves", "leaving", "a pause lasts as long as it lasts",
    ],
)  # fmt: skip
def test_how_long_each_thing_may_take(status: dict[str, object], expected: float | None) -> None:
    assert patience_seconds(a_status(**status)) == expected
