"""What a trainer reports about itself: every key as it was asked for, or what it became."""

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, Realm, a_config, a_model, a_training, orders

from state.contract.effective import EffectiveRun, reported_otherwise
from state.contract.files import read
from state.contract.run_config import RunConfig, by_key
from trainer.engine import optimizer as optimizers
from trainer.engine.run import run

UNUSUAL = {
    "batch_size": 3, "gradient_accumulation": 5, "learning_rate": 3e-3, "warmup_steps": 7, "max_length": 96,
    "weight_decay": 0.03, "adam_beta1": 0.8, "adam_beta2": 0.9, "adam_epsilon": 1e-6, "muon_momentum": 0.7,
    "muon_learning_rate": 2e-3, "clip": 0.3, "seed": 11, "gradient_checkpointing": True,
    "packing": False,
}  # fmt: skip


def reported(realm: Realm, config: RunConfig) -> EffectiveRun:
    files = realm.run(orders(realm.quest(), goal_updates=1), config)
    assert run(files.request) == 0
    return read(files.effective, EffectiveRun)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_every_key_that_was_asked_for_is_reported_as_asked(realm: Realm, optimizer: str) -> None:
    config = a_config(
        training=a_training(optimizer=optimizer, **UNUSUAL),
        model=a_model(max_context_length=96),
        held_out_fraction=0.3,
    )
    found = reported(realm, config)
    assert by_key(found.config) == by_key(config)
    assert (found.device, found.threads, found.num_parameters > 0) == ("cpu", 1, True)


def test_what_was_left_to_the_trainer_is_reported_as_what_it_became(realm: Realm) -> None:
    config = a_config(training=a_training(precision="auto", optimizer="muon"))
    found = reported_otherwise(config, reported(realm, config))
    assert [(one.key, one.asked, one.used) for one in found] == [
        ("training.muon_learning_rate", None, 5e-3),
        ("training.precision", "auto", "fp32"),
    ]
    assert all(one.is_resolved for one in found)


def test_a_value_that_was_lost_on_the_way_shows(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = optimizers._adamw

    def without_decay(groups, training):
        made = whole(groups, training)
        for group in made.param_groups:
            group["weight_decay"] = 0.0
        return made

    monkeypatch.setattr(optimizers, "_adamw", without_decay)
    config = a_config(model=a_model(config=TINY))
    (lost,) = reported_otherwise(config, reported(realm, config))
    assert (lost.key, lost.asked, lost.used, lost.is_resolved) == ("training.weight_decay", 0.01, 0.0, False)
