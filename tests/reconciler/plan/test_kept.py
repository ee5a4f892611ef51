"""What needs a checkpoint, as the world tells it: beside the rules, it is kept."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.plan.kept import references_to
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
