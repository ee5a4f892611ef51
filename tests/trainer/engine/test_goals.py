"""A run ends at the goal that is reached first, and saves there, measured like the end of a quest."""

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, orders
from seen import manifest, metrics, saved_steps, why

from trainer.engine.run import run


def test_a_run_ends_once_so_many_tokens_are_learnt(realm: Realm) -> None:
    files = realm.run(orders(realm.quest(epochs=3), goal_tokens=300))

    run(files.request)

    last = manifest(realm, saved_steps(realm)[-1])
    assert (why(files).reason, why(files).step) == ("goal_reached", last.step)
    assert why(files).message == f"learnt {last.measures.tokens_seen} of 300 tokens"
    assert 300 <= last.measures.tokens_seen < 700


def test_a_run_ends_once_so_many_quests_are_learnt_to_the_end(realm: Realm) -> None:
    quests = (
        realm.quest("q1", rows=8),
        realm.quest("q2", rows=8, word="other"),
        realm.quest("q3", rows=8, word="x"),
    )

    files = realm.run(orders(*quests, goal_quests=2, goal_updates=10_000))
    run(files.request)

    cursor = manifest(realm, saved_steps(realm)[-1]).cursor
    assert why(files).message == "finished 2 of 2 quests"
    assert [(one.quest_id, one.complete) for one in cursor] == [("q1", True), ("q2", True)]


def test_the_last_checkpoint_has_its_held_out_loss_also_within_a_quest(realm: Realm) -> None:
    """Those that an interval asks for before it have none: measuring has an interval of its own."""
    config = a_config(save_every=3, evaluate_every=1000)
    files = realm.run(orders(realm.quest(epochs=3), goal_updates=6), config)

    run(files.request)

    assert [manifest(realm, step).measures.val_loss is not None for step in saved_steps(realm)] == [
        False,
        True,
    ]
    assert [record.step for record in metrics(files, "evaluation")] == [0, 6]
