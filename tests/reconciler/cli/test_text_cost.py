"""The line of costs: what is counted, what is about, how far the time may be off."""

import pytest

from reconciler.cli.text_cost import cost_text
from reconciler.plan.costs.pace import Expected
from reconciler.plan.costs.training import TrainingCost


class Document:
    """What the line reads of a plan."""

    cost = None

    def __init__(self, training: TrainingCost) -> None:
        self.training = training


def line(*, high: float, is_about: bool = False) -> str | None:
    time = Expected(seconds=100.0, low_seconds=90.0, high_seconds=high, num_runs=3)
    cost = TrainingCost(campaign="pip/c", device="cpu", updates=392, tokens=5, time=time, is_about=is_about)
    return cost_text(Document(cost))  # type: ignore[arg-type]  # all that it reads


@pytest.mark.parametrize(("high", "said"), [(150.0, "±50%"), (337.0, "up to 5m 37s")])
def test_a_time_that_may_be_twice_as_long_is_told_by_its_bound(high: float, said: str) -> None:
    assert f"+1m 40s on cpu ({said})" in str(line(high=high))


def test_updates_that_nobody_counted_are_about_so_many() -> None:
    assert str(line(high=112.0, is_about=True)).startswith("Cost: about 392 updates, 5 tokens")
    assert str(line(high=112.0)).startswith("Cost: 392 updates, ")
