"""Memory that runs out: the same update in smaller micro-batches, and a resumed run that packs alike."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, Realm, a_config, a_model, a_training, orders
from seen import losses, metrics, why

from trainer.engine import step
from trainer.engine.run import run

DROPOUT = a_config(model=a_model(config={**TINY, "attention_dropout": 0.2}))


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a device with room for so many tokens at once."""
    summed_loss = step.summed_loss

    def set_room(tokens: int) -> None:
        def with_room(model: Any, batch: Any) -> Any:
            loss = summed_loss(model, batch)
            if sum(batch.lengths) > tokens:
                raise torch.OutOfMemoryError(f"tried to allocate {sum(batch.lengths)} tokens")
            return loss

        monkeypatch.setattr(step, "summed_loss", with_room)

    return set_room


def test_the_same_is_learnt_in_smaller_micro_batches(realm: Realm, tmp_path: Path, room: Any) -> None:
    undisturbed = Realm(tmp_path / "undisturbed")
    whole = undisturbed.run(orders(undisturbed.quest()))
    run(whole.request)
    room(60)
    files = realm.run(orders(realm.quest()))
    assert run(files.request) == 0
    assert list(losses(files).values()) == pytest.approx(list(losses(whole).values()), rel=1e-5)
    notes = [record.note for record in metrics(files, "memory")]
    assert notes
    assert all(note.startswith("memory ran out: at most ") for note in notes)


@pytest.mark.parametrize("config", [a_config(), DROPOUT], ids=["plain", "dropout"])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_resumed_after_memory_ran_out_is_the_undisturbed_one_to_the_bit(
    realm: Realm, tmp_path: Path, room: Any, config: Any, optimizer: str
) -> None:
    config = a_config(model=config.model, training=a_training(optimizer=optimizer))
    room(60)
    undisturbed = Realm(tmp_path / "undisturbed")
    whole = undisturbed.run(orders(undisturbed.quest(epochs=2)), config)
    run(whole.request)
    first = realm.run(orders(realm.quest(epochs=2), goal_updates=4), config)
    run(first.request)
    second = realm.run(orders(realm.quest(epochs=2)), config, resume_step=4)
    run(second.request)
    assert metrics(second, "memory") == []
    assert losses(first) | losses(second) == losses(whole)


def test_one_document_that_does_not_fit_alone_ends_the_run_by_name(realm: Realm, room: Any) -> None:
    room(5)
    files = realm.run(orders(realm.quest()))
    assert run(files.request) == 1
    assert why(files).failure_class == "oom"
    assert "there is no memory for one document of " in why(files).message
