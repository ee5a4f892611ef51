"""What keeps a campaign from training, lifted in thought: exactly what stands in its way, all of it, and no more."""

import itertools
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from reconciler.plan.ahead.in_thought import blocked_in, lifted
from reconciler.plan.planner import make_plan

PIP = "pip/campaign-001"
WORDS = ("not active", "realm", "queue", "hero", "campaign", "pause")
EVERY = [chosen for many in range(len(WORDS) + 1) for chosen in itertools.combinations(WORDS, many)]


@pytest.fixture
def world(world_of, hero_text: str):
    """A campaign with a quest to train, and these words against it."""

    def make(words: Collection[str]):
        def suspended(thing: str, how: str = "suspend: {reason: tea}\n") -> str:
            return how if thing in words else ""

        specs = {
            "realm.yaml": "id: lab\n"
            + ("" if "not active" in words else f"active: {PIP}\n")
            + suspended("realm"),
            "queue.yaml": suspended("queue") + "quests: [{id: q1, file: q1.jsonl, for: [pip]}]\n",
            "heroes/pip.yaml": hero_text + suspended("hero"),
            "campaigns/pip/campaign-001.yaml": "id: campaign-001\n" + suspended("campaign"),
        }
        facts: Mapping[str, Any] = {
            "active": None if "not active" in words else PIP,
            "data": ["q1"],
            "requests": [{"kind": "pause", "campaign": PIP}] if "pause" in words else [],
            "campaigns": {PIP: {"jobs": {"q1": {}}}},
        }
        return world_of({"specs": specs, "facts": facts})

    return make


def launches(world) -> bool:
    plan = make_plan(world.desired, world.facts, specs_commit=world.specs_commit, now=world.now)
    return any(type(change.action).__name__ == "LaunchRun" for change in plan.changes)


@pytest.mark.parametrize("words", EVERY, ids="+".join)
def test_whatever_people_said_against_it_is_told_once_and_without_it_the_campaign_is_launched(
    world, words: tuple[str, ...]
) -> None:
    found = lifted(world(words), PIP)
    assert len(found.words) == len(words)
    assert launches(world(words)) is not bool(words)
    assert launches(found.world)
    assert [one for one in blocked_in(found.world, PIP) if one.subject == f"campaign/{PIP}"] == []


@pytest.mark.parametrize("left", WORDS)
def test_each_of_them_is_in_the_way_by_itself(world, left: str) -> None:
    """So none of what is told is told for nothing."""
    assert not launches(world([left]))


def test_of_a_campaign_that_is_archived_nothing_is_lifted(world_of) -> None:
    case = {
        "specs": {
            "campaigns/pip/campaign-001.yaml": "id: campaign-001\nstate: archived\n",
            "realm.yaml": "id: lab\n",
        }
    }
    before = world_of(case)
    assert lifted(before, PIP) == ((), before)
