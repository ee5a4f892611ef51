"""Real hero and skill files of an older system load unchanged; what we cannot do is named, not guessed."""

import pytest

from reconciler.desired.dataset import contract_of
from reconciler.desired.layers import layers_of, resolve
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from reconciler.desired.unsupported import unsupported_hero, unsupported_settings
from state.contract.invariants import is_understood
from state.contract.orders import RowShape
from state.contract.row_judging import judge
from state.contract.row_shapes import messages_in

HEROES = ("dio-qwen3-0.6b", "miro-mistral-7b", "neko-qwen2.5-3b", "ojas-qwen3-8b")


@pytest.fixture
def desired(real_specs, tree):
    files = {"specs/realm.yaml": "id: lab\n"}
    for folder in ("heroes", "skills", "datasets"):
        for file in sorted((real_specs / folder).glob("*.yaml")):
            files[f"specs/{folder}/{file.name}"] = file.read_bytes()
    files |= {f"specs/campaigns/{hero}/campaign-001.yaml": "id: campaign-001\n" for hero in HEROES}
    return load(tree(files), NoCache())


def blockers(desired, hero: str) -> list[str]:
    settings = resolve(layers_of(desired, f"{hero}/campaign-001"))
    found = (*unsupported_settings(settings), *unsupported_hero(desired.heroes[hero].spec))
    return [one.reason for one in found if one.blocks]


def test_real_heroes_and_skills_load_unchanged(desired) -> None:
    assert tuple(desired.heroes) == HEROES
    assert tuple(desired.skills) == ("bin", "sy")
    dio = desired.heroes["dio-qwen3-0.6b"].spec
    assert (dio.name, dio.model.hf_name, dio.model.rope_scaling) == ("DIO", "models/Qwen3-0.6B", "dynamic")
    assert dio.training_defaults.learning_rate == 4e-4
    assert desired.skills["bin"].spec.accuracy_thresholds["30"] == 0.8


def test_a_real_dataset_contract_loads_unchanged_and_judges_rows(desired) -> None:
    dataset = desired.datasets["binary_training"].spec
    assert (dataset.id, dataset.kind, dataset.max_invalid_fraction) == ("binary_training_v1", "jsonl", 0.01)
    contract = contract_of("binary_training", dataset)
    good = {"messages": [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]}
    assert judge({**good, "tags": ["add"]}, contract) == messages_in(good, RowShape())
    assert judge({**good, "tags": [1]}, contract).found == '"tags" is a list'
    assert (
        judge({**good, "skill": "syllo"}, contract).expected
        == "the invariant: skill equals 'binary' if present"
    )
    assert judge({**good, "assistant_response": ""}, contract).found == '"assistant_response" is empty'
    assert judge({**good, "score": 1}, contract).found == 'the key "score"'
    assert all(map(is_understood, dataset.invariants))


def test_a_hero_that_we_can_train_has_no_blocker(desired) -> None:
    assert blockers(desired, "dio-qwen3-0.6b") == []
    assert blockers(desired, "neko-qwen2.5-3b") == []


def test_what_a_hero_asks_for_in_vain_blocks_its_launch_by_name(desired) -> None:
    assert blockers(desired, "miro-mistral-7b") == [
        'optimizer "galore_8bit" is not supported; known: adamw, muon'
    ]
    assert blockers(desired, "ojas-qwen3-8b") == [
        'optimizer "paged_adamw_32bit" is not supported; known: adamw, muon',
        'the memory profile "24gb_qlora" is a preset of another program',
    ]


def test_adapters_of_older_heroes_are_honoured_with_their_lines(desired) -> None:
    found = resolve(layers_of(desired, "ojas-qwen3-8b/campaign-001"))
    older = {
        key: (found[key].value, found[key].origin) for key in found if key.startswith(("method", "lora"))
    }
    targets = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    assert older == {
        "method": ("qlora", "specs/heroes/ojas-qwen3-8b.yaml:41"),
        "lora.rank": (64, "specs/heroes/ojas-qwen3-8b.yaml:60"),
        "lora.alpha": (128, "specs/heroes/ojas-qwen3-8b.yaml:61"),
        "lora.dropout": (0.02, "specs/heroes/ojas-qwen3-8b.yaml:62"),
        "lora.target_modules": (targets, "specs/heroes/ojas-qwen3-8b.yaml:63"),
    }
    dio = resolve(layers_of(desired, "dio-qwen3-0.6b/campaign-001"))
    assert dio["method"].value == "full"


def test_what_changes_nothing_learnt_is_a_note(desired) -> None:
    notes = [one.reason for one in unsupported_hero(desired.heroes["dio-qwen3-0.6b"].spec)]
    assert notes == [
        "save_total_limit deletes nothing: specs/retention.yaml decides, without it all are kept",
        "nothing is generated while the queue is empty",
    ]
