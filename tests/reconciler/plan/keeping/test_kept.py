"""What needs a checkpoint, as the world tells it: beside the rules, it is kept."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import msgspec
import pytest

from reconciler.plan.keeping.kept import drops_of, references_to, verdicts_of
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.world import World

PIP = "pip/campaign-001"


def needed(world: World) -> dict[str, str]:
    """Return what must stay of the campaign, and why."""
    row = world.facts.campaign_row(PIP)
    assert row is not None
    return {reference.id: reference.reason for reference in references_to(world, row)}


def test_what_an_open_job_began_from_is_needed(world_of: Callable[[Mapping[str, Any]], World]) -> None:
    """The wrong turn: jobs pointed at checkpoints that retention had deleted.

    A job begins with the update after the checkpoint that lay there: its first step is one more.
    """
    checkpoints = [{"step": step} for step in (10, 20, 30)]
    facts = {"active": PIP, "data": ["q1"], "campaigns": {PIP: {
        "checkpoints": checkpoints, "jobs": {"q1": {"status": "processing", "start_step": 11}}}}}  # fmt: skip

    found = needed(world_of({"facts": facts}))

    assert found[f"{PIP}@10"] == "quest q1 began there"
    assert set(found) == {f"{PIP}@10", f"{PIP}@30"}


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_what_goes_is_what_the_verdicts_say_whether_or_not_the_window_has_room(
    world_of: Callable[[Mapping[str, Any]], World], window: int
) -> None:
    facts = {"active": PIP, "store": {"observed_seconds": 7200.0}, "campaigns": {PIP: {
        "checkpoints": [{"step": step} for step in (10, 20, 30)]}}}  # fmt: skip
    rules = f"campaigns:\n  active: {{keep_checkpoints: {window}, keep_every: 1000}}\n"
    world = world_of({"specs": {"retention.yaml": rules}, "facts": facts})
    row = world.facts.campaign_row(PIP)
    assert row is not None
    num_dropped = 0

    for states in product(("whole", "unhealthy", "damaged", "lost"), repeat=3):
        of_case = with_states(world, states)
        stock = stock_of(of_case, row)
        verdicts = {one.id: one.reasons for one in verdicts_of(of_case, row) if one.decision == "drop"}
        assert drops_of(of_case, stock) == verdicts, states
        num_dropped += len(verdicts)
    assert num_dropped > 0


def with_states(world: World, states: tuple[str, ...]) -> World:
    """Return the world with the ledger's checkpoints in these states."""
    changes: dict[str, dict[str, Any]] = {
        "whole": {},
        "unhealthy": {"healthy": False},
        "damaged": {"damage": "a bit is flipped"},
        "lost": {"digest": "blake3:gone"},
    }
    ledger = [
        msgspec.structs.replace(one, **changes[state])
        for one, state in zip(world.facts.store.ledger, states, strict=True)
    ]
    store = msgspec.structs.replace(world.facts.store, ledger=tuple(ledger))
    return msgspec.structs.replace(world, facts=msgspec.structs.replace(world.facts, store=store))


def test_what_a_run_of_a_release_began_from_is_named_with_its_segment(
    world_of: Callable[[Mapping[str, Any]], World],
) -> None:
    """A living checkpoint of the same step is another one, and nothing holds it."""
    release = {"number": 2, "kind": "decay", "parent_step": 10, "updates": 20, "final_ratio": 0.1}
    facts = {"active": PIP, "data": ["q1"], "campaigns": {PIP: {
        "segments": [release],
        "checkpoints": [{"step": 10}, {"step": 20}, {"step": 30}, {"step": 20, "segment": 2, "aside": True}],
        "runs": [{"segment": 2, "state": "running", "alive": True, "resume_step": 20}]}}}  # fmt: skip

    found = needed(world_of({"facts": facts}))

    assert found[f"{PIP}@2:20"] == "a run began from it"
    assert set(found) == {f"{PIP}@2:20", f"{PIP}@30"}


def test_what_a_run_began_from_that_an_earlier_segment_saved_is_of_the_living_history(
    world_of: Callable[[Mapping[str, Any]], World],
) -> None:
    facts = {"active": PIP, "data": ["q1"], "campaigns": {PIP: {
        "row": {"segment": 2},
        "segments": [{"number": 2, "parent_step": 20}],
        "checkpoints": [{"step": 10}, {"step": 20}, {"step": 30, "segment": 1, "aside": True}],
        "runs": [{"segment": 2, "state": "running", "alive": True, "resume_step": 20}]}}}  # fmt: skip

    assert set(needed(world_of({"facts": facts}))) == {f"{PIP}@20"}
