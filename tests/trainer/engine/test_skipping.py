"""Updates whose loss jumps: left out, named, counted, and the end of the run where there are too many."""

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_guarded, a_training, orders, with_strange_rows
from seen import losses, manifest, metrics, saved_steps, why

from trainer.engine.run import run


def test_an_update_whose_loss_jumps_is_left_out_and_its_rows_are_named(realm: Realm) -> None:
    quest = with_strange_rows(realm, (50,))
    files = realm.run(orders(msgspec.structs.replace(quest, origin="data/mine.jsonl")), a_guarded())
    assert run(files.request) == 0

    (skipped,) = metrics(files, "skipped")
    assert skipped.note is not None
    assert "50" in skipped.note.partition("; ")[2].split(" of ")[0].replace("rows ", "").split(", ")
    assert skipped.note.endswith(" of data/mine.jsonl")
    assert skipped.step not in losses(files)
    assert sorted([*losses(files), skipped.step]) == list(range(1, 31))
    found = manifest(realm, 30)
    assert [(one.update, one.stop - one.start, one.loss) for one in found.skipped] == [
        (skipped.step, 4, skipped.loss)
    ]
    assert sum(part.stop - part.start for part in found.learnt) == 116 == found.measures.examples_seen
    assert found.cursor[0].complete


def test_what_was_left_out_changes_no_weight_and_no_later_draw(realm: Realm, tmp_path: Path) -> None:
    """The same updates without the strange one, made by hand: the next loss is the same to the bit."""
    guarded = realm.run(orders(with_strange_rows(realm, (50,))), a_guarded())
    run(guarded.request)
    (skipped,) = metrics(guarded, "skipped")
    before = Realm(tmp_path / "before")
    first = before.run(orders(with_strange_rows(before, (50,)), goal_updates=skipped.step - 1), a_guarded())
    run(first.request)
    passed = before.run(
        orders(with_strange_rows(before, (50,)), goal_updates=skipped.step),
        a_guarded(),
        resume_step=skipped.step - 1,
    )
    run(passed.request)
    files = ("model.safetensors", "optimizer.safetensors")
    for name in files:
        one, other = (before.campaign.checkpoint(skipped.step - back) / name for back in (0, 1))
        assert one.read_bytes() == other.read_bytes()


def test_off_means_off(realm: Realm) -> None:
    files = realm.run(orders(with_strange_rows(realm, (50,))), a_guarded(enabled=False))
    assert run(files.request) == 0
    assert metrics(files, "skipped") == []
    assert len(losses(files)) == 30


def test_more_jumps_than_may_be_left_out_end_the_run_and_nothing_after_is_saved(realm: Realm) -> None:
    quest = with_strange_rows(realm, (33, 66, 99))
    files = realm.run(orders(quest), a_guarded(skips=2, per_updates=200))
    assert run(files.request) == 1
    found = why(files)
    assert (found.failure_class, found.quest_id, found.last_checkpoint_step) == ("diverged", "q1", None)
    assert found.healthy_step == metrics(files, "skipped")[0].step - 1
    assert "2 updates of the last 200 were left out already (loss_guard.skips" in found.message
    assert saved_steps(realm) == []


def test_a_model_that_is_ruined_by_the_first_updates_of_a_quest_is_found_before_that_is_the_usual(
    realm: Realm,
) -> None:
    wild = msgspec.structs.replace(a_guarded(warm_up=32, window=64, least_nats=3.0))
    wild = msgspec.structs.replace(wild, training=a_training(learning_rate=3.0))
    files = realm.run(orders(realm.quest(rows=120)), wild)
    assert run(files.request) == 1
    found = why(files)
    assert (found.failure_class, found.last_checkpoint_step) == ("diverged", None)
    assert found.healthy_step is not None
    assert found.healthy_step < 8


@pytest.mark.parametrize("after", [-3, 0, 1])
def test_a_run_resumed_around_a_jump_is_the_undisturbed_one_to_the_bit(
    realm: Realm, tmp_path: Path, after: int
) -> None:
    whole = realm.run(orders(with_strange_rows(realm, (50,))), a_guarded())
    run(whole.request)
    (skipped,) = metrics(whole, "skipped")
    place, leave_at = Realm(tmp_path / "other"), skipped.step + after
    first = place.run(orders(with_strange_rows(place, (50,)), goal_updates=leave_at), a_guarded())
    run(first.request)
    second = place.run(orders(with_strange_rows(place, (50,))), a_guarded(), resume_step=leave_at)
    run(second.request)
    assert losses(first) | losses(second) == losses(whole)
    left_out = [*manifest(place, leave_at).skipped, *manifest(place, 30).skipped]
    assert left_out == list(manifest(realm, 30).skipped)
    states = [one.campaign.checkpoint(30) / "trainer_state.json" for one in (realm, place)]
    assert states[0].read_bytes() == states[1].read_bytes()
