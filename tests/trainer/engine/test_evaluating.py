"""The held-out loss that a checkpoint carries: of its own step, on the rows that its records name."""

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, orders
from seen import metrics

from state.atomic import write_json
from state.contract.orders import ConfigInForce, Orders, QuestOrder
from state.contract.run_config import config_hash
from trainer.checkpoints.load import read_manifest
from trainer.engine.failures import TrainingError
from trainer.engine.run import run
from trainer.engine.session import Session


def fails() -> None:
    raise TrainingError("the disk of its rows is gone")


def saved(realm: Realm, step: int):
    return read_manifest(Path(realm.campaign.checkpoints) / f"checkpoint-{step}")


def test_a_save_of_one_quest_never_carries_what_the_next_one_measured(realm: Realm, monkeypatch) -> None:
    """Another quest overtakes, measures its rows before it begins, and fails before its first update."""
    first, other = realm.quest("q1"), realm.quest("q2", word="other")
    files = realm.run(orders(first), a_config(evaluate_every=100))
    train_update = Session.train_update

    def overtaken(self: Session, order: QuestOrder) -> None:
        if order.quest_id == "q2":
            fails()
        train_update(self, order)
        if self.progress.step == 3:
            write_json(files.orders, orders(other, first, sequence=2))

    monkeypatch.setattr(Session, "train_update", overtaken)
    run(files.request)
    assert [(one.quest_id, one.step) for one in metrics(files, "evaluation")] == [("q1", 0), ("q2", 3)]
    manifest = saved(realm, 3)
    assert (manifest.quest_id, manifest.measures.val_loss) == ("q1", None)


def test_a_save_never_says_that_a_loss_was_measured_on_other_rows_than_it_was(
    realm: Realm, monkeypatch
) -> None:
    """The number of held-out rows changes between a measurement and the save of the same step."""
    quest, config = realm.quest(), a_config(evaluate_every=3)
    files = realm.run(orders(quest), config)
    finish = Session.finish_update

    def changed(self: Session, order: QuestOrder, *, is_last: bool) -> None:
        finish(self, order, is_last=is_last)
        if self.progress.step == 3:
            assert self.progress.val_loss is not None
            write_json(files.orders, with_fewer_rows(orders(quest, sequence=2, goal_updates=3), config))

    monkeypatch.setattr(Session, "finish_update", changed)
    run(files.request)
    manifest = saved(realm, 3)
    assert manifest.config_hash != config_hash(config)
    assert manifest.measures.val_loss is None


def with_fewer_rows(told: Orders, config) -> Orders:
    """Return orders with a live change of the number of rows that are measured on."""
    evaluation = msgspec.structs.replace(config.evaluation, max_rows=1)
    now = msgspec.structs.replace(config, evaluation=evaluation)
    force = ConfigInForce(generation=2, config=now, config_hash=config_hash(now), specs_commit="c" * 40)
    return msgspec.structs.replace(told, config=force)


def test_a_save_at_the_end_of_a_quest_carries_its_own_loss(realm: Realm) -> None:
    files = realm.run(orders(realm.quest("q1"), realm.quest("q2", word="other")))
    run(files.request)
    losses = {(one.quest_id, one.step): one.val_loss for one in metrics(files, "evaluation")}
    for step in (5, 10):
        manifest = saved(realm, step)
        assert manifest.measures.val_loss == losses[manifest.quest_id, step]
