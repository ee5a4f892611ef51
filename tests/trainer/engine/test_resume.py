"""A run that goes on where another one stopped: the same losses, every row once, and what is refused."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, Realm, a_config, a_model, a_training, orders
from seen import losses, manifest, saved_steps, why

from trainer.engine.run import run

FALLING = {"lr_scheduler": "cosine", "schedule_updates": 8, "final_rate_ratio": 0.1}


@pytest.mark.parametrize(
    ("training", "tied"),
    [({}, False), ({"optimizer": "muon"}, False), ({}, True), (FALLING, False)],
    ids=["adamw", "muon", "tied embeddings", "falling rate"],
)
@pytest.mark.parametrize("leave_at", [1, 4, 7])
def test_a_resumed_run_has_the_losses_of_the_undisturbed_one_to_the_bit(
    realm: Realm, tmp_path: Path, training: dict[str, Any], leave_at: int, *, tied: bool
) -> None:
    model = a_model(config={**TINY, "tie_word_embeddings": tied})
    config = a_config(training=a_training(**training), model=model)
    undisturbed = Realm(tmp_path / "undisturbed")
    whole = undisturbed.run(orders(undisturbed.quest(epochs=2)), config)
    run(whole.request)

    first = realm.run(orders(realm.quest(epochs=2), goal_updates=leave_at), config)
    run(first.request)
    second = realm.run(orders(realm.quest(epochs=2)), config, resume_step=leave_at)
    run(second.request)

    assert why(first).reason == "goal_reached"
    assert losses(first) | losses(second) == losses(whole)
    assert len(losses(whole)) == 9
    weights = [place.campaign.checkpoint(9) / "model.safetensors" for place in (realm, undisturbed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_fresh_optimizer_keeps_weights_and_position(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=2)).request)
    kept = realm.run(orders(realm.quest()), resume_step=2, optimizer_state="fresh")
    run(kept.request)
    other = Realm(realm.layout.root / "other")
    whole = other.run(orders(other.quest()))
    run(whole.request)
    assert losses(kept)[3] == losses(whole)[3]
    assert losses(kept)[5] != losses(whole)[5]


def test_each_row_is_learnt_exactly_as_often_as_ordered_along_the_ancestry(realm: Realm) -> None:
    quests = (realm.quest("q1", epochs=2), realm.quest("q2", rows=10, word="other"))
    run(realm.run(orders(*quests, goal_updates=3)).request)
    run(realm.run(orders(*quests, goal_updates=8), resume_step=3).request)
    run(realm.run(orders(*quests), resume_step=8).request)

    learnt: Counter[tuple[str, int, int]] = Counter()
    step: int | None = saved_steps(realm)[-1]
    while step is not None:
        found = manifest(realm, step)
        for part in found.learnt:
            learnt.update((part.quest_id, part.epoch, place) for place in range(part.start, part.stop))
        step = found.parent_step

    assert set(learnt.values()) == {1}
    per_epoch = Counter((quest_id, epoch) for quest_id, epoch, _ in learnt)
    assert per_epoch[("q1", 0)] == per_epoch[("q1", 1)] == 18
    assert per_epoch[("q2", 0)] == manifest(realm, saved_steps(realm)[-1]).measures.examples_seen - 36


def test_raised_epochs_train_the_difference(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(epochs=1))).request)
    more = realm.run(orders(realm.quest(epochs=2)), resume_step=5)
    run(more.request)
    assert len(losses(more)) == 5
    assert manifest(realm, 10).cursor[0].epochs_done == 2


def test_a_quest_that_left_the_orders_stays_in_the_cursor(realm: Realm) -> None:
    run(realm.run(orders(realm.quest("q1"))).request)
    run(realm.run(orders(realm.quest("q2", word="other")), resume_step=5).request)
    assert [cursor.quest_id for cursor in manifest(realm, saved_steps(realm)[-1]).cursor] == ["q1", "q2"]


def test_finished_work_is_not_saved_again(realm: Realm) -> None:
    quest = realm.quest()
    run(realm.run(orders(quest), a_config(save_every=5)).request)
    again = realm.run(orders(quest), resume_step=5)
    assert run(again.request) == 0
    assert saved_steps(realm) == [5]
    assert why(again).last_checkpoint_step == 5


def test_a_checkpoint_that_was_changed_is_not_resumed(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=2)).request)
    weights = realm.campaign.checkpoint(2) / "model.safetensors"
    flip_a_bit(weights)
    files = realm.run(orders(realm.quest()), resume_step=2)
    assert run(files.request) == 1
    assert why(files).failure_class == "environment"
    assert "model.safetensors: damaged: BLAKE3" in why(files).message


def test_a_checkpoint_of_another_campaign_is_not_resumed(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=2)).request)
    files = realm.run(orders(realm.quest()), resume_step=2, campaign_uid="d" * 16, campaign="tiny/other")
    assert run(files.request) == 1
    assert (
        "checkpoint-2 is of campaign tiny/campaign-001 (cccccccccccccccc); expected tiny/other"
        in why(files).message
    )


def test_another_architecture_is_not_trained_on_with_the_old_weights(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=2)).request)
    wider = a_config(model=a_model(config={**TINY, "intermediate_size": 96}))
    files = realm.run(orders(realm.quest()), wider, resume_step=2)
    assert run(files.request) == 1
    assert "checkpoint-2: model.config.intermediate_size is 64; the run asks for 96" in why(files).message
    assert "locked along a lineage" in why(files).message


def test_another_optimizer_cannot_take_over_the_state(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=2)).request)
    muon = a_config(training=a_training(optimizer="muon"))
    refused = realm.run(orders(realm.quest()), muon, resume_step=2)
    assert run(refused.request) == 1
    assert (
        "checkpoint-2: optimizer.safetensors is of adamw; the run updates by adamw and muon. The weights can go "
        "on, with a fresh state" in why(refused).message
    )
    fresh = realm.run(orders(realm.quest()), muon, resume_step=2, optimizer_state="fresh")
    assert run(fresh.request) == 0


def flip_a_bit(path: Path) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
