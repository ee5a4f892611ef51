"""What one look made of the store's rows serves the next while nobody wrote there; no plan is another for it."""

from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from reconciler.plan.planner import make_plan

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
CAMPAIGN = "pip/campaign-001"
TWO = {"facts": {"campaigns": {CAMPAIGN: {"checkpoints": [{"step": 10}, {"step": 20}]}}}}


def plan_of(world, facts):
    return make_plan(world.desired, facts, specs_commit=world.specs_commit, now=world.now)


def without_the_newest(facts):
    """Return the facts of a look that finds one checkpoint less."""
    seen = facts.campaigns[CAMPAIGN]
    there = msgspec.structs.replace(seen.checkpoints, complete=seen.checkpoints.complete[:-1])
    campaigns = {CAMPAIGN: msgspec.structs.replace(seen, checkpoints=there)}
    return msgspec.structs.replace(facts, campaigns=campaigns)


def test_no_case_is_planned_otherwise_by_a_second_look(world_of) -> None:
    num_served = num_cases = 0
    for text in (path.read_text() for path in CASES):
        if "trash" not in text and "segments" not in text and "damage" not in text:
            continue
        case = YAML(typ="safe").load(text)
        if any(content is None for content in case.get("specs", {}).values()):
            continue
        world = world_of(case)
        first = plan_of(world, world.facts)
        again = msgspec.structs.replace(world.facts).after(world.facts)
        num_served += bool(again.__dict__)
        assert plan_of(world, again) == first, text
        num_cases += 1
    assert num_served > num_cases // 2


def test_what_vanished_between_two_looks_is_seen(world_of) -> None:
    world = world_of(TWO)
    before = plan_of(world, world.facts)
    now = without_the_newest(world.facts)
    second = plan_of(world, msgspec.structs.replace(now).after(world.facts))
    assert second == plan_of(world, now) != before
    assert "checkpoint-missing" in [item.code for item in second.blocked]


@pytest.mark.parametrize("is_written", [True, False])
def test_nothing_is_taken_over_from_another_store(world_of, is_written: bool) -> None:
    facts = world_of(TWO).facts
    assert facts.campaign_row(CAMPAIGN) is not None
    store = msgspec.structs.replace(facts.store) if is_written else facts.store
    again = msgspec.structs.replace(facts, store=store).after(facts)
    assert bool(again.__dict__) == (not is_written)
