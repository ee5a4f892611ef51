"""The line of costs: what is counted, what is about, how far the time may be off."""

import msgspec
import pytest

from reconciler.cli.text_cost import cost_text, each_lines
from reconciler.plan.costs.disk import Cost
from reconciler.plan.costs.pace import Expected
from reconciler.plan.costs.records import ChangeCost
from reconciler.plan.costs.releases import ReleaseCost
from reconciler.plan.costs.training import AtFloor, TrainingCost


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


def test_what_trains_nothing_takes_no_time() -> None:
    """Whatever a run like it would take is no news then."""
    cost = TrainingCost(campaign="pip/c", device="cpu", updates=0, tokens=0, time=None)
    assert cost_text(Document(cost)) == "Cost: 0 updates, 0 tokens, no time."  # type: ignore[arg-type]  # all that it reads


class Change:
    """What a row of costs reads of a change."""

    def __init__(self, verb: str, thing: str, cost: ChangeCost) -> None:
        self.verb, self.thing, self.cost = verb, thing, cost
        self.subject = "checkpoint/pip/c@" + thing if verb == "trash" else f"quest/{thing}"


def queued(name: str, updates: int) -> Change:
    time = Expected(
        seconds=updates * 1.0, low_seconds=updates * 0.9, high_seconds=updates * 1.119, num_runs=3
    )
    return Change("enqueue", f"quest {name}", ChangeCost(training=training(updates, time)))


def training(updates: int, time: Expected | None = None) -> TrainingCost:
    return TrainingCost(campaign="pip/c", device="cpu", updates=updates, tokens=updates * 50, time=time)


def dropped(step: int, freed: int) -> Change:
    disk = Cost(
        adds_bytes=0, is_at_most=False, unknown=(), frees_now_bytes=0, frees_later_bytes=freed, later_seconds=3600.0
    )  # fmt: skip
    return Change("trash", str(step), ChangeCost(disk=disk))


def each(whole: TrainingCost | None, *changes: Change) -> list[str]:
    document = Document(whole)  # type: ignore[arg-type]  # a plan may train nothing
    document.changes, document.afterwards = changes, ()  # type: ignore[attr-defined]
    return each_lines(document, 80)  # type: ignore[arg-type]  # all that it reads


def test_each_of_two_quests_is_told_with_what_it_costs_and_how_far_that_may_be_off() -> None:
    assert each(training(160), queued("q1", 60), queued("q2", 100)) == [
        "  enqueue quest q1: 60 updates, 3,000 tokens, +1 min on cpu (±12%)",
        "  enqueue quest q2: 100 updates, 5,000 tokens, +1m 40s on cpu (±12%)",
    ]


def test_one_change_that_costs_all_is_not_told_twice() -> None:
    assert each(training(60), queued("q1", 60)) == []
    assert each(None, dropped(10, 500)) == []


def test_one_change_beside_what_was_queued_before_is_told_apart() -> None:
    assert each(training(160), queued("q1", 60)) == [
        "  enqueue quest q1: 60 updates, 3,000 tokens, +1 min on cpu (±12%)"
    ]


def test_what_is_dropped_of_one_campaign_is_told_in_one_line() -> None:
    found = each(training(60), queued("q1", 60), queued("q2", 5), dropped(10, 500_000), dropped(20, 700_000))
    assert found[-1] == "  trash 2 of pip/c: frees 1.2 MB after 1 h in the trash"


def test_no_more_than_ten_changes_are_told_one_by_one() -> None:
    found = each(training(60), *(queued(f"q{number}", 5) for number in range(12)))
    assert len(found) == 11
    assert found[-1] == "  and 2 changes more: reconcile plan --json (changes.cost)"


def released(**fields: object) -> ReleaseCost:
    time = Expected(seconds=40.0, low_seconds=36.0, high_seconds=44.0, num_runs=3)
    given = {"at": 100, "branches_at": 100, "updates": 30, "waiting": 0, "tokens": 1500, "time": time}
    return ReleaseCost(**(given | fields))  # type: ignore[arg-type]  # what a test names


@pytest.mark.parametrize(
    ("release", "said"),
    [
        (released(), "100: 30 updates, about 1,500 tokens, +40 s on cpu (±11%)"),
        (released(branches_at=200, time=None, tokens=None), "100, off the checkpoint at 200: 30 updates"),
        (released(saves_bytes=8000, time=None, tokens=None), "100: 30 updates, +8 kB disk at most"),
        (released(waiting=10, time=None, tokens=None), "100: 30 updates, 10 more wait for rows"),
        (released(updates=0, waiting=40), "100: its 40 updates wait for rows that come after that"),
        (released(updates=0, branches_at=None), "100: none of it, what there is to train ends before"),
    ],
)  # fmt: skip
def test_a_release_is_told_as_a_part_of_the_whole(release: ReleaseCost, said: str) -> None:
    whole = msgspec.structs.replace(training(120), releases=(release,))
    assert each(whole, queued("q1", 90))[1:] == [f"  release at step {said}"]


def test_what_is_trained_at_the_floor_of_the_rate_is_told_with_the_line_that_says_so() -> None:
    floor = AtFloor(updates=8, since=395, rate=3e-4, cause="specs/c.yaml:8")
    whole = msgspec.structs.replace(training(120), at_floor=floor)
    assert each(whole) == [
        "  8 updates of these at a rate of 0.0003: it has come down at update 395,",
        "    specs/c.yaml:8",
    ]
