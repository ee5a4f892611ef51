"""Files that were found right are not composed again; a plan is the same with and without that memory."""

from pathlib import Path

import msgspec
import pytest
from memory_cache import MemoryCache
from ruamel.yaml import YAML

from reconciler.app.planning import right_memory
from reconciler.app.planning.right_memory import RightMemory
from reconciler.observed.records import DerivedFile
from reconciler.plan.campaigns import status_files
from reconciler.plan.planner import make_plan
from state import campaign_file
from state.cards import CampaignCard, Milestone, decode_card, encode_card

ROOT = Path("/realm")
CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
CARD = encode_card(CampaignCard(name="campaign-001", description="", skills_focus=(), config_overrides={}))
MARKED = encode_card(msgspec.structs.replace(decode_card(CARD), milestones=(Milestone(step=15),)))
AT_REST = {
    "specs": {
        "realm.yaml": "id: lab\n",
        "queue.yaml": "quests: []\n",
        "campaigns/pip/campaign-001.yaml": "id: campaign-001\n",
    },
    "facts": {"campaigns": {"pip/campaign-001": {"row": {"card_json": CARD}, "checkpoints": [{"step": 10}]}}},
}
CHANGES = {
    "its status file": {"status_file": {"status": "training"}},
    "no record": {"no_record": True},
    "another card": {"row": {"card_json": CARD.replace('"campaign-001"', '"Life"')}},
    "what older files said": {"row": {"card_json": MARKED}},
}


def plan_with(memory: RightMemory, world):
    return memory.plan(world.desired, world.facts, specs_commit=world.specs_commit, now=world.now)


def plan_without(world):
    return make_plan(world.desired, world.facts, specs_commit=world.specs_commit, now=world.now)


def changed(words):
    campaign = AT_REST["facts"]["campaigns"]["pip/campaign-001"] | words
    return AT_REST | {"facts": {"campaigns": {"pip/campaign-001": campaign}}}


@pytest.fixture
def no_composing(monkeypatch: pytest.MonkeyPatch):
    """From now on whoever composes a derived file fails."""

    def forbid() -> None:
        monkeypatch.setattr(campaign_file, "campaign_record", None)
        monkeypatch.setattr(status_files, "training_status", None)

    return forbid


def test_what_was_right_in_a_plan_with_nothing_to_do_is_not_composed_again(world_of, no_composing) -> None:
    cache, world = MemoryCache(), world_of(AT_REST)
    first = plan_with(RightMemory(cache, ROOT), world)
    assert first.changes == ()
    no_composing()
    assert plan_with(RightMemory(cache, ROOT), world) == first
    with pytest.raises(TypeError):
        plan_with(RightMemory(cache, Path("/another")), world)


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_no_longer_right_is_seen_beside_the_memory(world_of, what: str) -> None:
    memory = RightMemory(MemoryCache(), ROOT)
    plan_with(memory, world_of(AT_REST))
    world = world_of(changed(CHANGES[what]))
    assert plan_with(memory, world) == plan_without(world)
    assert [type(change.action).__name__ for change in plan_without(world).changes] in (
        ["WriteCampaignRecord"],
        ["WriteStatusFiles"],
        ["WriteCampaignRecord", "WriteStatusFiles"],
    )


def test_a_byte_of_a_record_is_seen_beside_the_memory(world_of) -> None:
    memory, world, name = RightMemory(MemoryCache(), ROOT), world_of(AT_REST), "pip/campaign-001"
    plan_with(memory, world)
    derived = world.facts.derived
    file = derived.campaign_records[name]
    wrong = DerivedFile(
        path=file.path, content=file.content.replace(b'"current_step": 10', b'"current_step": 17')
    )
    derived = msgspec.structs.replace(derived, campaign_records={name: wrong})
    world = msgspec.structs.replace(world, facts=msgspec.structs.replace(world.facts, derived=derived))
    assert [change.reason for change in plan_with(memory, world).changes] == ["differs in current_step"]


def test_an_edited_spec_is_seen_beside_the_memory(world_of) -> None:
    memory = RightMemory(MemoryCache(), ROOT)
    plan_with(memory, world_of(AT_REST))
    specs = AT_REST["specs"] | {"campaigns/pip/campaign-001.yaml": "id: campaign-001\nname: Life\n"}
    world = world_of(AT_REST | {"specs": specs})
    assert plan_with(memory, world) == plan_without(world)
    assert plan_without(world).changes


def test_no_case_is_planned_otherwise_with_a_memory(world_of) -> None:
    memory, num_empty = RightMemory(MemoryCache(), ROOT), 0
    for path in CASES:
        if "record" not in (text := path.read_text()) and "status_file" not in text:
            continue
        case = YAML(typ="safe").load(text)
        if any(content is None for content in case.get("specs", {}).values()):
            continue
        world = world_of(case)
        plans = [plan_without(world), plan_with(memory, world), plan_with(memory, world)]
        assert plans[0] == plans[1] == plans[2], path.stem
        num_empty += not plans[0].changes
    assert num_empty


def test_a_plan_with_something_to_do_is_not_remembered(world_of) -> None:
    cache = MemoryCache()
    plan_with(RightMemory(cache, ROOT), world_of(changed(CHANGES["its status file"])))
    assert cache.get_all("right") == {}


@pytest.mark.parametrize(
    "entry", [b"", b"\xc1", msgspec.msgpack.encode({"pip/campaign-001": 5}), b"\x93\x01"]
)
def test_a_damaged_or_foreign_memory_is_not_believed(world_of, entry: bytes) -> None:
    cache, world = MemoryCache(), world_of(changed(CHANGES["its status file"]))
    plan_with(RightMemory(cache, ROOT), world_of(AT_REST))
    [key] = cache.get_all("right")
    cache.put(key, entry)
    assert plan_with(RightMemory(cache, ROOT), world) == plan_without(world)


def test_the_memory_of_other_code_is_not_believed(world_of, no_composing, monkeypatch) -> None:
    cache, world = MemoryCache(), world_of(AT_REST)
    plan_with(RightMemory(cache, ROOT), world)
    monkeypatch.setattr(right_memory, "code_stamp", lambda *_: "of another version")
    no_composing()
    with pytest.raises(TypeError):
        plan_with(RightMemory(cache, ROOT), world)
