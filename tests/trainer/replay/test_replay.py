"""A checkpoint made again from its parent is the same to the bit; where it cannot be, or is not, that is said."""

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, Realm, a_config, a_guarded, a_model, a_training, orders, with_strange_rows
from safetensors.torch import load_file, save_file
from seen import manifest, metrics, saved_steps

from state.atomic import write_json
from state.contract.files import read
from state.contract.orders import ConfigInForce
from state.contract.recipe import Recipe
from state.contract.replay import ANSWER_NAME, Lap, ReplayAnswer, ReplayRequest
from state.contract.request import RunConfig, RunRequest, config_hash
from state.ids import checkpoint_folder
from state.layout import RunLayout
from trainer.engine import step
from trainer.engine.claim import held_lock
from trainer.engine.run import run
from trainer.replay.main import main

DROPOUT = a_model(config={**TINY, "attention_dropout": 0.2})


class Again:
    """Checkpoints of a realm made again in a folder of its own."""

    def __init__(self, realm: Realm, folder: Path) -> None:
        self.realm, self.folder = realm, folder
        self.checkpoints = folder / "checkpoints"
        self.checkpoints.mkdir(parents=True)
        self.exit_code = -1

    def parent(self, number: int | None) -> int | None:
        """Lay the parent where the replay looks for it."""
        if number is not None:
            name = checkpoint_folder(number)
            shutil.copytree(self.realm.campaign.checkpoint(number), self.checkpoints / name)
        return number

    def lap(self, files: RunLayout, made: int, parent: int | None, **changes: Any) -> Lap:
        request = msgspec.structs.replace(
            read(files.request, RunRequest), checkpoints_dir=str(self.checkpoints), resume_step=parent
        )
        given: dict[str, Any] = {
            "request": request,
            "manifest": manifest(self.realm, made),
            "original": str(self.realm.campaign.checkpoint(made)),
        }
        return Lap(**(given | changes))

    def made(self, *laps: Lap, **changes: Any) -> ReplayAnswer:
        given: dict[str, Any] = {
            "trainer_lock": str(self.realm.layout.trainer_lock),
            "folder": str(self.folder),
            "data": {f"sha256:{path.stem}": str(path) for path in self.realm.layout.data.glob("*.jsonl")},
            "laps": laps,
        }
        write_json(self.folder / "request.json", ReplayRequest(**(given | changes)))
        self.exit_code = main(self.folder / "request.json")
        return read(self.folder / ANSWER_NAME, ReplayAnswer)


@pytest.fixture
def again(realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Again:
    monkeypatch.setenv("ENABLE_PACKING", os.environ.get("ENABLE_PACKING", "1"))
    return Again(realm, tmp_path / "again")


@pytest.mark.parametrize(
    "config",
    [
        a_config(save_every=3),
        a_config(save_every=3, training=a_training(optimizer="muon")),
        a_config(save_every=3, model=DROPOUT),
    ],
    ids=["adamw", "muon", "dropout"],
)
def test_a_checkpoint_in_the_middle_comes_out_the_same_to_the_bit(
    realm: Realm, again: Again, config: RunConfig
) -> None:
    files = realm.run(orders(realm.quest(epochs=2), realm.quest("q2", rows=9, word="other")), config)
    run(files.request)
    assert saved_steps(realm)[:3] == [3, 6, 9]
    answer = again.made(again.lap(files, 6, again.parent(3)))
    assert (answer.verdict, answer.digest, again.exit_code) == ("same", manifest(realm, 6).digest, 0)
    assert (answer.differences, answer.notes) == ((), ())


def test_updates_that_were_left_out_are_left_out_again(realm: Realm, again: Again) -> None:
    files = realm.run(orders(with_strange_rows(realm, (33, 66, 99))), a_guarded())
    run(files.request)
    made = manifest(realm, saved_steps(realm)[-1])
    assert len(made.skipped) == 3
    answer = again.made(again.lap(files, made.step, None))
    assert (answer.verdict, answer.why, answer.digest) == ("same", None, made.digest)


@pytest.mark.long
@pytest.mark.parametrize("changes", [{}, {"optimizer": "muon"}], ids=["adamw", "muon"])
def test_adapters_with_dropout_come_out_the_same_to_the_bit(
    realm: Realm, again: Again, changes: dict[str, Any]
) -> None:
    pytest.importorskip("peft", reason="needs the lora extra")
    from adapters import adapter_training

    config = a_config(save_every=3, training=adapter_training(**changes))
    files = realm.run(orders(realm.quest(epochs=2)), config)
    assert run(files.request) == 0
    answer = again.made(again.lap(files, 6, again.parent(3)))
    assert (answer.verdict, answer.why, answer.digest) == ("same", None, manifest(realm, 6).digest)


def test_a_checkpoint_whose_ancestors_are_gone_is_made_again_from_the_first_weights(
    realm: Realm, again: Again
) -> None:
    """Across the end of a quest, whose last update is smaller, and another run: the store keeps no cursor."""
    quests = (realm.quest(rows=23), realm.quest("q2", rows=9, word="other"))
    first = realm.run(orders(*quests, goal_updates=6), a_config(save_every=4))
    run(first.request)
    second = realm.run(orders(*quests), a_config(save_every=4), resume_step=6)
    run(second.request)
    steps = saved_steps(realm)
    laps = [
        again.lap(files, made, parent, manifest=without_cursor(realm, made), original=None)
        for made, parent in zip(steps, [None, *steps], strict=False)
        for files in [first if made <= 6 else second]
    ]
    answer = again.made(*laps)
    assert (answer.verdict, answer.why, answer.step) == ("same", None, steps[-1])
    assert answer.digest == manifest(realm, steps[-1]).digest
    made, original = again.checkpoints / checkpoint_folder(steps[-1]), realm.campaign.checkpoint(steps[-1])
    assert {path.name: path.read_bytes() for path in made.iterdir()} == {
        path.name: path.read_bytes() for path in original.iterdir()
    }


def without_cursor(realm: Realm, number: int) -> Any:
    return msgspec.structs.replace(manifest(realm, number), cursor=())


def test_a_rate_that_changed_while_it_trained_is_changed_at_the_same_update_again(
    realm: Realm, again: Again
) -> None:
    config, quest = a_config(save_every=50), realm.quest(rows=400, epochs=60)
    files = realm.run(orders(quest), config)
    training = msgspec.structs.replace(config.training, learning_rate=1e-3, warmup_steps=0)
    given = as_order(msgspec.structs.replace(config, training=training))

    def end() -> None:
        number = metrics(files, "config")[0].step
        write_json(files.orders, orders(quest, sequence=3, config=given, goal_updates=number + 60))

    meanwhile(
        (
            lambda: has_updates(files, 4),
            lambda: write_json(files.orders, orders(quest, sequence=2, config=given)),
        ),
        (lambda: bool(metrics(files, "config")), end),
    )
    assert run(files.request) == 0
    steps = saved_steps(realm)
    changed_at = metrics(files, "config")[0].step
    assert changed_at not in steps
    between = next(made for made in steps if made > changed_at)  # trained with both rates
    before = again.parent(max((made for made in steps if made < between), default=None))
    answer = again.made(again.lap(files, between, before))
    assert answer.digest == manifest(realm, between).digest
    later = next(made for made in steps if made > between)  # begins with the rate that was changed before
    other = Again(realm, again.folder.parent / "later")
    answer = other.made(other.lap(files, later, other.parent(between)))
    assert answer.digest == manifest(realm, later).digest


def test_a_replay_that_forgets_the_changed_rate_differs_and_says_where(realm: Realm, again: Again) -> None:
    files = realm.run(orders(realm.quest(rows=40)), a_config(save_every=5))
    run(files.request)
    request = read(files.request, RunRequest)
    config = msgspec.structs.replace(
        request.config, training=msgspec.structs.replace(request.config.training, learning_rate=6e-3)
    )
    lap = again.lap(files, 5, None)
    lap = msgspec.structs.replace(lap, request=msgspec.structs.replace(lap.request, config=config))
    answer = again.made(lap)
    assert (answer.verdict, again.exit_code) == ("differs", 1)
    found = {one.path: one.found for one in answer.differences}
    assert set(found) == {"model.safetensors", "optimizer.safetensors", "trainer_state.json"}
    assert found["model.safetensors"].startswith("25 of 25 tensors differ; the first, lm_head.weight, by ")


def test_memory_that_ran_out_runs_out_at_the_same_update_again(
    realm: Realm, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    summed_loss, calls = step.summed_loss, []

    def with_room(model: Any, batch: Any) -> Any:
        calls.append(batch)
        if len(calls) > 3 and sum(batch.lengths) > 60:
            raise torch.OutOfMemoryError("no room")
        return summed_loss(model, batch)

    with monkeypatch.context() as patched:
        patched.setattr(step, "summed_loss", with_room)
        files = realm.run(orders(realm.quest()))
        run(files.request)
    assert [record.step for record in metrics(files, "memory")] != [0]
    made = saved_steps(realm)[-1]
    answer = again.made(again.lap(files, made, None))
    assert (answer.verdict, answer.why, answer.digest) == ("same", None, manifest(realm, made).digest)


@pytest.mark.parametrize("packing", ["0", "1"])
def test_documents_go_alone_or_together_as_they_went_then(
    realm: Realm, again: Again, monkeypatch: pytest.MonkeyPatch, packing: str
) -> None:
    monkeypatch.setenv("ENABLE_PACKING", packing)
    files = realm.run(orders(realm.quest()))
    run(files.request)
    monkeypatch.setenv("ENABLE_PACKING", "1" if packing == "0" else "0")
    made = saved_steps(realm)[-1]
    assert again.made(again.lap(files, made, None)).digest == manifest(realm, made).digest


def test_a_changed_tensor_is_found_by_name_and_by_how_much(realm: Realm, again: Again) -> None:
    files = realm.run(orders(realm.quest()), a_config(save_every=3))
    run(files.request)
    other = again.folder.parent / "other"
    shutil.copytree(realm.campaign.checkpoint(3), other)
    tensors = load_file(other / "model.safetensors")
    tensors["model.norm.weight"][1] += 0.25
    (other / "model.safetensors").unlink()
    save_file(tensors, other / "model.safetensors")
    recorded = manifest(realm, 3)
    entries = tuple(
        msgspec.structs.replace(one, blake3="0" * 64) if one.path == "model.safetensors" else one
        for one in recorded.files
    )
    recorded = msgspec.structs.replace(recorded, files=entries)
    answer = again.made(again.lap(files, 3, None, manifest=recorded, original=str(other)))
    assert [one.found for one in answer.differences] == [
        "1 of 25 tensors differ; the first, model.norm.weight, by at most 0.25"
    ]


def test_it_cannot_be_made_again_without_its_data(realm: Realm, again: Again) -> None:
    quest = realm.quest()
    files = realm.run(orders(quest), a_config(save_every=3))
    run(files.request)
    answer = again.made(again.lap(files, 3, None), data={})
    assert (answer.verdict, again.exit_code) == ("cannot", 2)
    assert answer.why == f"the data of quest q1 ({quest.digest}) is not here"


def test_it_cannot_be_made_again_when_an_older_version_saved_it(realm: Realm, again: Again) -> None:
    files = realm.run(orders(realm.quest()), a_config(save_every=3))
    run(files.request)
    older = msgspec.structs.replace(manifest(realm, 3), recipe=None)
    answer = again.made(again.lap(files, 3, None, manifest=older))
    assert answer.why == "it was saved by an older version, which did not record how"


def test_it_is_never_made_beside_a_living_trainer(realm: Realm, again: Again) -> None:
    files = realm.run(orders(realm.quest()), a_config(save_every=3))
    run(files.request)
    with held_lock(realm.layout.trainer_lock):
        answer = again.made(again.lap(files, 3, None))
    assert answer.verdict == "cannot"
    assert answer.why == f"another trainer holds the lock {realm.layout.trainer_lock}"


def test_a_parent_that_stands_elsewhere_is_refused(realm: Realm, again: Again) -> None:
    files = realm.run(orders(realm.quest()), a_config(save_every=3))
    run(files.request)
    answer = again.made(again.lap(files, 5, None))
    assert (
        answer.why
        == "quest q1 was gone on with at row 12 of epoch 1, but its parent left it at row 0 of epoch 1"
    )


def test_what_was_made_elsewhere_is_told(realm: Realm, again: Again) -> None:
    files = realm.run(orders(realm.quest()), a_config(save_every=3))
    run(files.request)
    recorded = manifest(realm, 3)
    assert isinstance(recorded.recipe, Recipe)
    recipe = msgspec.structs.replace(
        recorded.recipe, torch_version="2.0.0", device="cuda:0", device_name="A card"
    )
    answer = again.made(again.lap(files, 3, None, manifest=msgspec.structs.replace(recorded, recipe=recipe)))
    assert answer.notes == (
        f"made with torch 2.0.0, made again with {torch.__version__}",
        "made on A card, made again on cpu",
    )


def as_order(config: RunConfig) -> ConfigInForce:
    return ConfigInForce(generation=2, config=config, config_hash=config_hash(config), specs_commit="e" * 40)


def has_updates(files: RunLayout, number: int) -> bool:
    return files.metrics.exists() and files.metrics.read_bytes().count(b'"kind":"update"') >= number


def meanwhile(*steps: tuple[Callable[[], bool], Callable[[], None]]) -> None:
    """Do each thing beside the run, as soon as its condition holds."""

    def watch() -> None:
        for holds, act in steps:
            while not holds():
                time.sleep(0.002)
            act()

    threading.Thread(target=watch, daemon=True).start()
