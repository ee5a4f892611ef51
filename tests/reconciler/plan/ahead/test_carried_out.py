"""The world of a forecast: what a plan did there, the next plan does not do again."""

import pytest

from reconciler.plan.actions import DemoteCheckpoint, PurgeTrash, TrashCheckpoint
from reconciler.plan.ahead.carried_out import carried_out, later, with_save
from reconciler.plan.planner import make_plan

CAMPAIGN = "pip/campaign-001"
ABOUT_CHECKPOINTS = (TrashCheckpoint, DemoteCheckpoint, PurgeTrash)


def case(rules: str):
    """Return a realm with four checkpoints that are old enough for these rules."""
    files = {"model.safetensors": 900, "optimizer.safetensors": 100}
    checkpoints = [{"step": step, "size_bytes": 1000, "files": files} for step in (10, 20, 30, 40)]
    facts = {"store": {"observed_seconds": 720_000.0}, "campaigns": {CAMPAIGN: {"checkpoints": checkpoints}}}
    return {"specs": {"retention.yaml": rules}, "facts": facts}


def planned(world):
    plan = make_plan(world.desired, world.facts, specs_commit=world.specs_commit, now=world.now)
    found = [one for one in plan.changes if isinstance(one.action, ABOUT_CHECKPOINTS)]
    return plan, [(type(one.action).__name__, one.action.step) for one in found]


def test_what_was_dropped_is_purged_after_its_grace_and_then_free(world_of) -> None:
    world = world_of(case("campaigns: {active: {keep_checkpoints: 2}}\ntrash: {rolled: 1h}\n"))
    free = world.facts.disk.free_bytes
    plan, first = planned(world)
    assert {name for name, _ in first} == {"TrashCheckpoint"}
    world = carried_out(world, plan.changes)
    assert planned(world)[1] == []
    soon = later(world, 3599)
    assert planned(soon)[1] == []
    plan, purged = planned(later(world, 3601))
    assert purged == [("PurgeTrash", step) for _, step in first]
    gone = carried_out(later(world, 3601), plan.changes)
    assert planned(gone)[1] == []
    assert gone.facts.disk.free_bytes - free == sum(
        one.action.size_bytes for one in plan.changes if isinstance(one.action, PurgeTrash)
    )


def test_what_was_demoted_is_not_demoted_again_and_its_optimizer_state_is_purged(world_of) -> None:
    world = world_of(
        case("campaigns: {active: {keep_checkpoints: 4, keep_optimizer: 1}}\ntrash: {rolled: 1h}\n")
    )
    plan, first = planned(world)
    assert {name for name, _ in first} == {"DemoteCheckpoint"}
    world = carried_out(world, plan.changes)
    again, found = planned(world)
    assert (found, [item.code for item in again.blocked if item.code == "checkpoint-missing"]) == ([], [])
    assert [name for name, _ in planned(later(world, 3601))[1]] == ["PurgeTrash"] * len(first)


def test_a_save_to_come_rolls_the_oldest_out_of_the_window(world_of) -> None:
    world = world_of(case("campaigns: {active: {keep_checkpoints: 4}}\nminimum_age: 1s\n"))
    assert planned(world)[1] == []
    row = world.facts.campaign_row(CAMPAIGN)
    saved = later(with_save(world, row, 50, ()), 10)
    assert len(planned(saved)[1]) == 1
    assert (
        world.facts.disk.free_bytes - saved.facts.disk.free_bytes
        == world.facts.ledger_of(row.uid)[-1].size_bytes
    )


@pytest.mark.parametrize("seconds", [0.0, 90.0])
def test_time_passes_by_every_clock(world_of, seconds: float) -> None:
    world = world_of(case("campaigns: {}\n"))
    after = later(world, seconds)
    assert after.observed_now - world.observed_now == seconds
    assert (after.now == world.now) == (seconds == 0)
