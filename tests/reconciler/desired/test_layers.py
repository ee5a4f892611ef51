"""The settings of a campaign and where each comes from."""

from itertools import product

import msgspec
import pytest

from reconciler.desired.command_line import said_on_command_line
from reconciler.desired.desired import Here
from reconciler.desired.layers import BUILT_IN, Layer, Setting, held_out_of, layers_of, resolve
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from reconciler.desired.training import TrainingSettings

NAME = "pip/campaign-001"


def settings_of(tree, files):
    return resolve(layers_of(load(tree(files), NoCache()), NAME))


def test_later_layers_win_and_each_value_knows_its_line(tree, small) -> None:
    small["specs/realm.yaml"] += "defaults:\n  learning_rate: 3.0e-3\n  clip: 0.5\n"
    small["specs/campaigns/pip/campaign-001.yaml"] += "config_overrides:\n  learning_rate: 1.5e-3\n"
    found = settings_of(tree, small)
    rate = found["learning_rate"]
    assert (rate.value, rate.origin) == (1.5e-3, "specs/campaigns/pip/campaign-001.yaml:4")
    assert [(one.layer, one.value, one.origin) for one in rate.shadowed] == [
        ("hero", 2.0e-3, "specs/heroes/pip.yaml:5"),
        ("realm", 3.0e-3, "specs/realm.yaml:4"),
    ]
    assert (found["clip"].value, found["clip"].origin) == (0.5, "specs/realm.yaml:5")
    assert (found["seed"].value, found["seed"].origin) == (0, "built in")


def test_one_key_of_a_section_leaves_the_others_to_the_layer_below(tree, small) -> None:
    small["specs/realm.yaml"] += "defaults: {evaluation: {every_updates: 7, max_rows: 3}}\n"
    small["specs/campaigns/pip/campaign-001.yaml"] += (
        "config_overrides: {evaluation: {held_out: {file: a.jsonl}}}\n"
    )
    found = settings_of(tree, small)
    assert found["evaluation.every_updates"].value == 7
    assert found["evaluation.held_out"].value.file == "a.jsonl"


def test_older_names_set_the_newer_key_at_their_own_line(tree, small) -> None:
    small["specs/heroes/pip.yaml"] += (
        "  save_steps: 300\n  optimizer_type: muon\ntrainer: {optimizer: adamw}\n"
    )
    found = settings_of(tree, small)
    assert (found["checkpoint.every_updates"].value, found["checkpoint.every_updates"].origin) == (
        300,
        "specs/heroes/pip.yaml:7",
    )
    assert (found["optimizer"].value, found["optimizer"].origin) == ("muon", "specs/heroes/pip.yaml:8")
    assert "save_steps" not in found


def test_the_optimizer_under_trainer_counts_where_nothing_else_names_one(tree, small) -> None:
    small["specs/heroes/pip.yaml"] += "trainer: {optimizer: muon}\n"
    assert settings_of(tree, small)["optimizer"].value == "muon"


def test_a_layer_of_the_caller_wins_over_all(tree, small) -> None:
    desired = load(tree(small), NoCache())
    flag = Layer(
        name="command line",
        settings={"batch_size": Setting(value=2, origin="--batch-size", layer="command line")},
    )
    found = resolve((*layers_of(desired, NAME), flag))
    assert (found["batch_size"].value, found["batch_size"].origin) == (2, "--batch-size")


def test_every_key_of_a_spec_has_a_built_in_value(tree, small) -> None:
    small["specs/heroes/pip.yaml"] = small["specs/heroes/pip.yaml"].replace("  max_length: 256\n", "")
    found = settings_of(tree, small)
    assert found["max_length"].value == 512
    ours = {key.partition(".")[0] for key in found}
    older = {"save_steps", "save_total_limit", "load_in_4bit", "optimizer_type", "liger_kernel"}
    assert ours == set(TrainingSettings.__struct_fields__) - older
    assert set(found) == {*BUILT_IN, "max_length"}


def given(number: int) -> list[str]:
    """What a layer may say of held-out rows: nothing, a fraction, a file."""
    fraction, file = f"{{held_out: 0.{number}}}", f"{{held_out: {{file: f{number}.jsonl}}}}"
    return ["{evaluation: {max_rows: 3}}", f"{{evaluation: {fraction}}}", f"{{evaluation: {file}}}"]


@pytest.mark.parametrize("words", [(), ("clip=2",), ("evaluation.held_out.file=x",)])
def test_what_is_held_out_is_what_the_layers_give(tree, small, words) -> None:
    here = Here(host="box", said=said_on_command_line(words) if words else None)
    realm, campaign = small["specs/realm.yaml"], small["specs/campaigns/pip/campaign-001.yaml"]
    for of_realm, of_campaign, of_host in product(given(1), given(2), given(3)):
        small["specs/realm.yaml"] = f"{realm}defaults: {of_realm}\n"
        small["specs/campaigns/pip/campaign-001.yaml"] = f"{campaign}config_overrides: {of_campaign}\n"
        small["specs/hosts.yaml"] = f"hosts: {{box: {{training: {of_host}}}}}\n"
        desired = msgspec.structs.replace(load(tree(small), NoCache()), here=here)
        assert held_out_of(desired, NAME) == resolve(layers_of(desired, NAME))["evaluation.held_out"].value


def test_what_a_hero_holds_out_counts_where_its_campaign_says_nothing(tree, small) -> None:
    small["specs/heroes/pip.yaml"] += "  evaluation: {held_out: 0.25}\n"
    desired = load(tree(small), NoCache())
    assert held_out_of(desired, NAME) == 0.25


@pytest.mark.parametrize(
    ("hero", "method"),
    [
        ("  load_in_4bit: true\n", "qlora"),
        ("  load_in_4bit: false\n", "full"),
        ("qlora: {enabled: true}\n", "qlora"),
        ("  load_in_4bit: false\nqlora: {enabled: true}\n", "lora"),
        ("  method: full\nqlora: {enabled: true}\n", "full"),
    ],
)
def test_older_words_for_adapters_say_the_method(tree, small, hero, method) -> None:
    small["specs/heroes/pip.yaml"] += hero
    found = settings_of(tree, small)
    assert found["method"].value == method
    assert "load_in_4bit" not in found
    enabled = "enabled: true" in hero
    assert found["lora.rank"].value == (64 if enabled else 16)


def test_a_later_layer_wins_over_older_words(tree, small) -> None:
    small["specs/heroes/pip.yaml"] += "  load_in_4bit: true\n"
    small["specs/campaigns/pip/campaign-001.yaml"] += "config_overrides: {method: lora, lora: {rank: 8}}\n"
    found = settings_of(tree, small)
    assert (found["method"].value, found["method"].shadowed[0].value) == ("lora", "qlora")
    assert (found["lora.rank"].value, found["lora.alpha"].value) == (8, 32.0)
