"""Memory that runs out: the same update in smaller micro-batches, and a resumed run that packs alike."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, Realm, a_config, a_model, a_training, orders
from seen import losses, metrics, why

from state.contract.effective import EffectiveRun
from state.contract.files import read
from state.contract.status import RunStatus
from trainer.checkpoints.load import read_manifest
from trainer.checkpoints.state import STATE_NAME, MemoryState, TrainerState
from trainer.engine import fitting, step
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


AUTO = a_config(training=a_training(gradient_checkpointing="auto"), model=DROPOUT.model)
LITTLE, PLENTY = 10**5, 10**12


def told(files: Any) -> Any:
    return read(files.effective, EffectiveRun).config.training.gradient_checkpointing


@pytest.mark.parametrize(("usable_bytes", "decided"), [(LITTLE, True), (PLENTY, False)])
def test_auto_computes_layers_twice_where_memory_would_not_do_else_and_tells_so(
    realm: Realm, monkeypatch: pytest.MonkeyPatch, usable_bytes: int, decided: bool
) -> None:
    monkeypatch.setattr(fitting, "usable_bytes", lambda _: usable_bytes)
    files = realm.run(orders(realm.quest(), goal_updates=1), AUTO)
    assert run(files.request) == 0
    assert told(files) is decided


def test_what_auto_decides_changes_no_bit_of_what_is_learnt(
    realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even halfway: the first part with little memory, the second on a machine with plenty."""
    monkeypatch.setattr(fitting, "usable_bytes", lambda _: PLENTY)
    undisturbed = Realm(tmp_path / "undisturbed")
    whole = undisturbed.run(orders(undisturbed.quest()), AUTO)
    run(whole.request)
    monkeypatch.setattr(fitting, "usable_bytes", lambda _: LITTLE)
    first = realm.run(orders(realm.quest(), goal_updates=3), AUTO)
    run(first.request)
    monkeypatch.setattr(fitting, "usable_bytes", lambda _: PLENTY)
    second = realm.run(orders(realm.quest()), AUTO, resume_step=3)
    run(second.request)
    assert (told(whole), told(first), told(second)) == (False, True, False)
    assert losses(first) | losses(second) == losses(whole)


def test_what_fits_by_the_estimate_goes_through_at_once_and_a_resumed_run_packs_alike(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "usable_bytes", lambda _: LITTLE)
    first = realm.run(orders(realm.quest(), goal_updates=2))
    run(first.request)
    (note,) = (record.note for record in metrics(first, "memory"))
    assert note == "by the estimate of memory: at most 128 tokens at once; granted 256"
    recipe = read_manifest(realm.campaign.checkpoint(2)).recipe
    assert recipe is not None
    assert [turn.tokens_at_once for turn in recipe.turns] == [128]
    monkeypatch.setattr(fitting, "usable_bytes", lambda _: PLENTY)
    second = realm.run(orders(realm.quest(), goal_updates=3), resume_step=2)
    run(second.request)
    assert metrics(second, "memory") == []
    state = read(realm.campaign.checkpoint(3) / STATE_NAME, TrainerState)
    assert state.memory == MemoryState(granted_tokens=256, tokens=128)


def test_this_machine_has_more_memory_than_the_tests_take() -> None:
    """So that nothing but a test's own word makes any of them decide otherwise."""
    assert fitting.usable_bytes(torch.device("cpu")) > 2**28


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_probe_tells_what_the_widest_micro_batch_takes_and_changes_no_bit(
    realm: Realm, tmp_path: Path, optimizer: str
) -> None:
    config = a_config(model=DROPOUT.model, training=a_training(optimizer=optimizer))
    undisturbed = Realm(tmp_path / "undisturbed")
    whole = undisturbed.run(orders(undisturbed.quest(), goal_updates=4), config)
    run(whole.request)
    assert metrics(whole, "probe") == []
    first = realm.run(orders(realm.quest(), goal_updates=2), config, probe=True)
    run(first.request)
    second = realm.run(orders(realm.quest(), goal_updates=4), config, resume_step=2, probe=True)
    run(second.request)
    (told,) = metrics(first, "probe")
    assert (told.step, told.tokens) == (0, 256)
    assert told.memory_bytes
    assert read(first.status, RunStatus).peak_memory_bytes >= told.memory_bytes
    assert losses(first) | losses(second) == losses(whole)
    names = ("model.safetensors", "optimizer.safetensors")
    found, wanted = (r.campaign.checkpoint(4) for r in (realm, undisturbed))
    assert [(found / name).read_bytes() for name in names] == [(wanted / name).read_bytes() for name in names]


def test_where_a_probe_finds_less_room_less_goes_through_from_the_first_update_on(
    realm: Realm, room: Any
) -> None:
    room(150)
    files = realm.run(orders(realm.quest(), goal_updates=2), probe=True)
    run(files.request)
    assert [told.tokens for told in metrics(files, "probe")] == [128]
    assert metrics(files, "memory") == []
    recipe = read_manifest(realm.campaign.checkpoint(2)).recipe
    assert recipe is not None
    assert [turn.tokens_at_once for turn in recipe.turns] == [128]


def test_a_probe_names_a_document_that_does_not_fit_alone(realm: Realm, room: Any) -> None:
    room(100)
    files = realm.run(orders(realm.quest()), probe=True)
    assert run(files.request) == 1
    assert why(files).failure_class == "oom"
    assert "there is no memory for one document of 128 tokens alone" in why(files).message
