"""What would be kept at a campaign's goal: the real rules over the saves to come, and nothing made up."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.plan.keeping.kept_at_goal import AtGoal, at_goal
from reconciler.plan.retention.records import Record
from reconciler.plan.retention.retain import retain
from reconciler.plan.retention.rules import Rules

EVERY = 500
"""Updates between two saves."""


def world(
    world_of, rules: str, *, goal: str = "{updates: 2000}", steps=(500, 1000), minutes: int | None = None
):
    """A campaign that saves every 500 updates and stands at the last of these steps."""
    found = world_of({
        "specs": {
            "retention.yaml": rules,
            "campaigns/pip/campaign-001.yaml": f"id: campaign-001\ngoal: {goal}\n",
        },
        "facts": {
            "active": "pip/campaign-001",
            "store": {"observed_seconds": 99999.0},
            "campaigns": {"pip/campaign-001": {"checkpoints": [{"step": step} for step in steps]}},
        },
    })  # fmt: skip
    if minutes is None:
        return found
    rows = [
        msgspec.structs.replace(row, timestamp=f"2026-01-01T{number * minutes // 60:02}:{number * minutes % 60:02}:00Z")
        for number, row in enumerate(found.facts.store.ledger)
    ]  # fmt: skip
    store = msgspec.structs.replace(found.facts.store, ledger=tuple(rows))
    return msgspec.structs.replace(found, facts=msgspec.structs.replace(found.facts, store=store))


def kept(found) -> AtGoal | None:
    return at_goal(found, found.desired.retention.spec, found.facts.campaign_row("pip/campaign-001"))


def test_a_rolling_window_keeps_its_number_and_the_best_of_now(world_of):
    told = kept(world(world_of, "campaigns: {active: {keep_checkpoints: 2}}\n"))
    assert told == AtGoal(updates=2000, every_updates=500, num_checkpoints=4, num_kept=3, kept_bytes=3)


def test_steps_that_are_kept_for_ever_are_counted(world_of):
    told = kept(world(world_of, "campaigns: {active: {keep_checkpoints: 1, keep_every: 1000}}\n"))
    assert (told.num_checkpoints, told.num_kept) == (4, 2)


def test_pins_are_kept_at_the_goal_too(world_of):
    rules = "campaigns: {active: {keep_checkpoints: 1}}\npins: [pip/campaign-001@500]\n"
    assert kept(world(world_of, rules)).num_kept == 3


def test_a_goal_between_two_saves_is_saved_itself(world_of):
    told = kept(world(world_of, "campaigns: {active: {keep_checkpoints: 9}}\n", goal="{updates: 1700}"))
    assert (told.num_checkpoints, told.num_kept) == (4, 4)


def test_rules_of_time_go_on_at_the_pace_of_the_last_two_saves(world_of):
    """A save each 30 minutes: 00:00, 00:30, then 01:00 and 01:30; the newest of each hour, and the best of now."""
    told = kept(world(world_of, "campaigns: {active: {keep_hourly: 9}}\n", minutes=30))
    assert (told.num_checkpoints, told.num_kept, told.unknown) == (4, 3, None)


def test_rules_of_time_without_a_pace_say_that_nobody_knows(world_of):
    told = kept(world(world_of, "campaigns: {active: {keep_daily: 9}}\n", steps=(500,)))
    assert told.unknown == "the rules count time, and its pace is not known yet"
    assert told.num_kept is None


def test_before_the_first_save_no_size_is_made_up(world_of):
    told = kept(world(world_of, "campaigns: {active: {keep_checkpoints: 2}}\n", steps=()))
    assert (told.num_checkpoints, told.num_kept, told.kept_bytes) == (4, 2, None)


@pytest.mark.parametrize("goal", ["{updates: 1000}", "{tokens: 5000}"])
def test_a_goal_that_is_reached_or_counts_something_else_tells_nothing(world_of, goal):
    assert kept(world(world_of, "campaigns: {active: {keep_checkpoints: 2}}\n", goal=goal)) is None


def test_more_saves_than_anybody_would_count_are_not_counted(world_of):
    told = kept(world(world_of, "campaigns: {active: {keep_checkpoints: 2}}\n", goal="{updates: 100000000}"))
    assert told.unknown == "more than 20,000 saves are still to come"


@pytest.mark.parametrize(
    "rules",
    [Rules(last=3), Rules(every_steps=20), Rules(hourly=2, daily=3), Rules(last=1, within_seconds=5000.0)],
)
def test_asking_once_for_the_whole_way_says_what_asking_after_each_save_says(rules):
    """Without this, the forecast would tell of other checkpoints than those that apply will keep."""
    saves = [
        Record(
            id=str(number), sequence=number, segment=1, step=10 * number, healthy=True, recorded_at_seconds=0.0,
            saved_at=f"2026-01-{1 + number // 24:02}T{number % 24:02}:30:00Z",
        )
        for number in range(1, 60)
    ]  # fmt: skip
    gone: set[str] = set()
    for number in range(1, len(saves) + 1):
        there = [msgspec.structs.replace(one, gone=one.id in gone) for one in saves[:number]]
        gone |= {one.id for one in retain(there, rules) if one.decision == "drop"}
    at_once = {one.id for one in retain(saves, rules) if one.decision == "keep"}
    assert {one.id for one in saves} - gone == at_once


def by_hand(saved: list[int], goal: int, rules: dict[str, int], pins: set[int]) -> set[int]:
    """Return the steps that are left at the goal, by another way: save after save, with lists alone.

    Each save is added as it comes, and what no sentence of the rules keeps is crossed out at once. The best is
    the first one: losses rise in this world, and saves to come have none.
    """
    left: list[int] = []
    for step in [*saved, *(step for step in range(saved[-1] + 1, goal) if step % EVERY == 0), goal]:
        left.append(step)
        if step < saved[-1]:
            continue  # what lies there now is judged together
        for old in list(left):
            is_in_window = old in left[-rules["keep_checkpoints"] :]
            is_kept_for_ever = bool(rules.get("keep_every")) and old % rules["keep_every"] == 0
            if not (is_in_window or is_kept_for_ever or old in pins or old == saved[0]):
                left.remove(old)
    return set(left)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    num_saved=st.integers(1, 6),
    beyond=st.integers(1, 7_300),
    window=st.integers(1, 6),
    keep_every=st.sampled_from([None, 1_000, 1_500, 2_500]),
    pinned=st.booleans(),
)
def test_what_is_told_of_the_goal_is_what_a_simulation_by_hand_is_left_with(
    world_of, num_saved: int, beyond: int, window: int, keep_every: int | None, pinned: bool
):
    saved = [EVERY * number for number in range(1, num_saved + 1)]
    goal = saved[-1] + beyond
    rules = {"keep_checkpoints": window} | ({"keep_every": keep_every} if keep_every else {})
    pin = saved[num_saved // 2]
    text = f"campaigns: {{active: {json.dumps(rules)}}}\n" + (
        f"pins: [pip/campaign-001@{pin}]\n" if pinned else ""
    )
    found = world(world_of, text, goal=f"{{updates: {goal}}}", steps=saved)
    found = with_rising_losses(found)

    told = kept(found)

    assert told.num_kept == len(by_hand(saved, goal, rules, {pin} if pinned else set()))


def with_rising_losses(found):
    rows = (
        msgspec.structs.replace(row, val_loss=1.0 + number / 10)
        for number, row in enumerate(found.facts.store.ledger)
    )
    store = msgspec.structs.replace(found.facts.store, ledger=tuple(rows))
    return msgspec.structs.replace(found, facts=msgspec.structs.replace(found.facts, store=store))
