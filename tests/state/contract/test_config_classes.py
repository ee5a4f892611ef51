"""Every key of a config has a class, as config_classes.yaml says; of several changes the strongest decides."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest
from ruamel.yaml import YAML

from state.contract.config_classes import CLASSES, ORDER, KeyChange, changes_between, strongest
from state.contract.run_config import (
    ChatConfig,
    CheckpointConfig,
    EvaluationConfig,
    LoraConfig,
    LossGuardConfig,
    ModelConfig,
    RunConfig,
    TokenizerConfig,
    TrainingConfig,
    by_key,
    config_hash,
)

TABLE = YAML(typ="safe", pure=True).load(Path(__file__).with_name("config_classes.yaml").read_text())
CONFIG = RunConfig(
    model=ModelConfig(
        init="scratch", base_model=None, family="qwen3", architecture="Qwen3ForCausalLM", vocab_size=320,
        max_context_length=64, config={"hidden_size": 8},
    ),
    tokenizer=TokenizerConfig(kind="bytes", digest="sha256:1"),
    chat=ChatConfig(template="chatml", digest="sha256:2"),
    training=TrainingConfig(
        precision="fp32", batch_size=1, gradient_accumulation=1, optimizer="muon", learning_rate=0.001,
        lr_scheduler="constant", warmup_steps=1, max_length=64, weight_decay=0.0, adam_beta1=0.9, adam_beta2=0.95,
        adam_epsilon=1e-8, muon_learning_rate=None, muon_momentum=0.95, clip=1.0, seed=0,
        gradient_checkpointing=False,
    ),
    evaluation=EvaluationConfig(every_updates=10, held_out_fraction=0.1, max_rows=8),
    checkpoint=CheckpointConfig(every_updates=10, every_minutes=15.0),
)  # fmt: skip

WITH_ADAPTERS = msgspec.structs.replace(
    CONFIG,
    training=msgspec.structs.replace(
        CONFIG.training,
        method="lora",
        lora=LoraConfig(rank=8, alpha=16.0, dropout=0.0, target_modules=("q_proj",)),
    ),
)


def keys_of(record: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    for field in msgspec.structs.fields(record):
        inner = () if get_origin(field.type) is tuple else get_args(field.type)  # a list is one value
        kinds = [one for one in (field.type, *inner) if isinstance(one, type)]
        record_type = next((one for one in kinds if issubclass(one, msgspec.Struct)), None)
        if record_type is not None:
            yield from keys_of(record_type, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


def with_value(config: RunConfig, key: str, value: Any) -> RunConfig:
    """Return the config with another value under a dotted key; of adapters, there are some then."""
    return _with(config, key.split("."), value)


def _with(record: Any, path: list[str], value: Any) -> Any:
    name, *inner = path
    old = getattr(record, name)
    old = LossGuardConfig() if old is None and name == "loss_guard" else old
    new = _with(old, inner, value) if inner else value
    return msgspec.structs.replace(record, **{name: new})


def test_every_key_of_a_config_has_a_class_and_no_class_is_of_nothing() -> None:
    assert set(CLASSES) == set(keys_of(RunConfig))


def test_each_key_has_the_class_that_the_table_gives_it() -> None:
    assert {key: class_ for class_, keys in TABLE.items() for key in keys} == dict(CLASSES)
    assert sum(len(keys) for keys in TABLE.values()) == len(CLASSES)


@pytest.mark.parametrize("key", sorted(CLASSES))
def test_a_change_of_each_key_is_seen_and_changes_the_hash(key: str) -> None:
    value = {"hidden_size": 9} if key == "model.config" else "another"
    config = WITH_ADAPTERS if key.startswith("training.lora.") else CONFIG
    other = with_value(config, key, value)
    (change,) = changes_between(config, other)
    assert change.class_ == CLASSES[key]
    assert change.key == ("model.config.hidden_size" if key == "model.config" else key)
    assert config_hash(other) != config_hash(config)


def test_going_over_to_adapters_says_the_method_that_was() -> None:
    (change,) = changes_between(CONFIG, WITH_ADAPTERS)
    assert change == KeyChange("training.method", "full", "lora", "new lineage")
    other = with_value(CONFIG, "training.weight_decay_on", "all")
    (change,) = changes_between(CONFIG, other)
    assert change == KeyChange("training.weight_decay_on", "matrices", "all", "resume")


def test_a_field_that_a_models_own_config_gains_is_a_new_lineage() -> None:
    other = with_value(CONFIG, "model.config", {"hidden_size": 8, "tie_word_embeddings": True})
    assert changes_between(CONFIG, other) == (
        KeyChange("model.config.tie_word_embeddings", None, True, "new lineage"),
    )


@pytest.mark.parametrize("key", ["training.muon_learning_rate", "training.muon_momentum"])
def test_settings_of_muon_are_a_no_op_while_adamw_updates_everything(key: str) -> None:
    adamw = with_value(CONFIG, "training.optimizer", "adamw")
    (change,) = changes_between(adamw, with_value(adamw, key, 0.5))
    assert change.class_ == "no-op"
    assert strongest(changes_between(adamw, with_value(CONFIG, key, 0.5))) == "restart"


def test_of_two_changes_the_one_that_disturbs_most_decides() -> None:
    for one, two in itertools.product(ORDER, ORDER):
        changes = (KeyChange("a", 1, 2, one), KeyChange("b", 1, 2, two))
        assert strongest(changes) == ORDER[max(ORDER.index(one), ORDER.index(two))]


def test_equal_configs_differ_in_nothing() -> None:
    assert changes_between(CONFIG, msgspec.convert(msgspec.to_builtins(CONFIG), RunConfig)) == ()
    assert strongest(()) == "no-op"


def test_the_keys_of_a_config_are_its_values_in_dots() -> None:
    found = by_key(CONFIG)
    assert (found["training.clip"], found["model.config.hidden_size"], found["model.base_model"]) == (
        1.0,
        8,
        None,
    )


def test_what_came_later_changes_no_hash_while_it_says_nothing() -> None:
    """The hash that the version without a falling rate gave."""
    assert config_hash(CONFIG) == ("sha256:9018bbfb30e184f5598dcebcff18cfc992e66c328e82ba0711c5279a8e1f6607")
