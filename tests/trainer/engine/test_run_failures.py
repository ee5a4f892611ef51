"""Runs that cannot go on: what exit.json says, and what stays on the disk."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, a_training, orders
from seen import manifest, metrics, saved_steps, why

from state import failpoints
from state.contract.files import read
from state.contract.process import EXIT_ALREADY_CLAIMED
from state.contract.status import RunStatus
from trainer.checkpoints.load import verify_files
from trainer.engine import evaluating, room
from trainer.engine.claim import held_lock
from trainer.engine.run import run


def test_a_run_is_run_once(realm: Realm, capsys: pytest.CaptureFixture[str]) -> None:
    files = realm.run(orders(realm.quest()))
    run(files.request)
    before = {path: path.stat().st_mtime_ns for path in files.folder.iterdir()}
    assert run(files.request) == EXIT_ALREADY_CLAIMED
    assert {path: path.stat().st_mtime_ns for path in files.folder.iterdir()} == before
    assert "claimed already" in capsys.readouterr().err


def test_a_second_trainer_says_who_is_in_the_way(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()))
    with held_lock(realm.layout.trainer_lock):
        assert run(files.request) == 1
    assert why(files).failure_class == "environment"
    assert "another trainer holds the lock" in why(files).message


def test_a_request_that_cannot_be_read_fails_the_run(realm: Realm) -> None:
    files = realm.run(orders())
    files.request.write_text("{", encoding="utf-8")
    assert run(files.request) == 1
    assert why(files).failure_class == "environment"
    assert "request.json: not a RunRequest" in why(files).message


def test_a_loss_that_is_not_finite_is_not_applied_and_nothing_is_saved(realm: Realm) -> None:
    wild = a_training(learning_rate=1e38, clip=1e38, warmup_steps=0)
    files = realm.run(orders(realm.quest("wild")), a_config(training=wild, evaluate_every=0))
    assert run(files.request) == 1
    assert (why(files).reason, why(files).failure_class, why(files).quest_id) == ("failed", "nan", "wild")
    assert "update 2 of quest wild: loss nan" in why(files).message
    assert saved_steps(realm) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_held_out_loss_that_is_not_finite_ends_the_run_and_nothing_since_is_saved(
    realm: Realm, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """Weights may be beyond saving while losses of training still look well."""
    measured = iter((1.0, 1.0, value))
    monkeypatch.setattr(evaluating, "held_out_loss", lambda *_: next(measured))
    files = realm.run(orders(realm.quest()), a_config(save_every=4, evaluate_every=4))
    assert run(files.request) == 1
    found = why(files)
    assert (found.failure_class, found.message) == (
        "nan",
        f"the held-out loss of quest q1 is {value} at step 5",
    )
    assert saved_steps(realm) == [4]
    assert [record.val_loss for record in metrics(files, "evaluation")] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"messages": [{"role": "user", "content": "a"}]}\n', r"row 1: no assistant message"),
        ('{"prompt": "a"}\n', r"row 1: unknown row shape"),
        ('{"messages": [{"role": "us', r"row 1: the file is torn at the end"),
    ],
)
def test_a_quest_that_cannot_be_read_fails_the_run_with_its_rows(
    realm: Realm, content: str, message: str
) -> None:
    good = realm.quest("good")
    files = realm.run(orders(good, realm.quest_of(content, "bad")))
    assert run(files.request) == 1
    found = why(files)
    assert (found.failure_class, found.quest_id, found.last_checkpoint_step) == ("data", "bad", 5)
    assert message in found.message


def test_a_document_that_is_too_long_fails_the_run_with_its_row(realm: Realm) -> None:
    files = realm.run(orders(realm.quest("long", word="w" * 200)))
    assert run(files.request) == 1
    assert why(files).failure_class == "data"
    assert "row 1: " in why(files).message
    assert "at most 128 (max_length)" in why(files).message


def test_many_bad_rows_are_told_on_one_line(realm: Realm) -> None:
    quest = msgspec.structs.replace(realm.quest(word="w" * 200, rows=24), origin="/data/mine.jsonl")
    files = realm.run(orders(quest))
    assert run(files.request) == 1
    assert "\n" not in why(files).message
    assert why(files).message.endswith(" Also rows 2, 3, 4 and 20 more; all: reconcile validate --data")


def test_a_bad_row_is_told_by_the_file_and_row_that_a_person_knows(realm: Realm) -> None:
    quest = msgspec.structs.replace(
        realm.quest("grown+2", word="w" * 200), origin="/data/mine.jsonl", first_row=100
    )
    files = realm.run(orders(quest))
    assert run(files.request) == 1
    assert why(files).message.startswith("quest grown+2: /data/mine.jsonl: row 101: ")
    assert str(realm.layout.data) not in why(files).message


def test_a_snapshot_that_was_changed_fails_the_run(realm: Realm) -> None:
    quest = realm.quest("changed")
    Path(quest.path).write_text(Path(quest.path).read_text().replace("row 1?", "row 9?"))
    files = realm.run(orders(quest))
    assert run(files.request) == 1
    assert why(files).failure_class == "data"
    assert "quest changed: " in why(files).message
    assert "The snapshot is damaged" in why(files).message


def test_a_disk_that_fills_while_saving_makes_training_wait_until_there_is_room(
    realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOOK_SECONDS", 0.01)
    files = realm.run(orders(realm.quest()), a_config(save_every=2))
    fail_in_save(range(2, 4))
    assert run(files.request) == 0
    failpoints.observe(None)
    assert saved_steps(realm) == [2, 4, 5]
    assert manifest(realm, 4).parent_digest == manifest(realm, 2).digest
    assert read(files.status, RunStatus).waiting_for is None

    undisturbed = Realm(tmp_path / "undisturbed")
    run(undisturbed.run(orders(undisturbed.quest()), a_config(save_every=2)).request)
    for step in (4, 5):
        for path in realm.campaign.checkpoint(step).iterdir():
            other = undisturbed.campaign.checkpoint(step) / path.name
            assert path.name == "manifest.json" or path.read_bytes() == other.read_bytes()


def test_a_disk_that_stays_full_is_told_and_who_must_leave_says_which_checkpoint_is_the_newest(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOOK_SECONDS", 0.01)
    files = realm.run(orders(realm.quest()), a_config(save_every=2))
    told: list[str | None] = []

    def look() -> None:
        told.append(read(files.status, RunStatus).waiting_for)
        os.kill(os.getpid(), signal.SIGTERM)

    fail_in_save(range(2, 99), then=look)
    assert run(files.request) == 1
    failpoints.observe(None)
    (waiting_for,) = set(told)
    assert waiting_for is not None
    assert "no room for checkpoint-4: it needs 4" in waiting_for
    assert "training goes on once there is room" in waiting_for
    found = why(files)
    assert (found.failure_class, found.last_checkpoint_step) == ("environment", 2)
    assert "checkpoint-4 could not be saved: [Errno 28] No space left on device" in found.message
    assert "checkpoint-2 is still the newest" in found.message
    assert [path.name for path in realm.campaign.checkpoints.iterdir()] == ["checkpoint-2"]
    verify_files(realm.campaign.checkpoint(2), manifest(realm, 2))


def test_a_tokenizer_that_is_not_the_hashed_one_is_refused(realm: Realm) -> None:
    import msgspec

    config = a_config()
    other = msgspec.structs.replace(
        config, tokenizer=msgspec.structs.replace(config.tokenizer, digest="sha256:0")
    )
    files = realm.run(orders(realm.quest()), other)
    assert run(files.request) == 1
    assert "the request names sha256:0" in why(files).message


def fail_in_save(numbers: range, then: Callable[[], None] = lambda: None) -> None:
    """Let the disk be full when these manifests are written, counted from 1; from the second on `then` looks."""
    met = 0

    def strike(name: str) -> None:
        nonlocal met
        if name != "checkpoint.manifest":
            return
        met += 1
        if met in numbers:
            if met > numbers.start:
                then()
            raise OSError(28, "No space left on device")

    failpoints.observe(strike)


def test_a_folder_in_the_way_of_a_save_ends_the_run_with_a_class_of_its_own(realm: Realm) -> None:
    theirs = realm.campaign.checkpoint(4)
    theirs.mkdir()
    files = realm.run(orders(realm.quest()), a_config(save_every=2))

    assert run(files.request) == 1

    assert (why(files).failure_class, why(files).last_checkpoint_step) == ("in_the_way", 2)
    assert f"{theirs} is in the way: something lies there already" in why(files).message
    assert "checkpoint-2 is still the newest" in why(files).message
    assert list(theirs.iterdir()) == []
