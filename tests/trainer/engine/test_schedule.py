"""The learning rate as a function of the update's number."""

import pytest

from trainer.engine.schedule import rate_factor


@pytest.mark.parametrize(
    ("update", "warmup", "share"),
    [(1, 4, 0.25), (3, 4, 0.75), (4, 4, 1.0), (5, 4, 1.0), (10**9, 4, 1.0), (1, 0, 1.0), (1, 1, 1.0)],
)
def test_the_rate_rises_linearly_and_then_stays(update: int, warmup: int, share: float) -> None:
    assert rate_factor(update, warmup) == share
