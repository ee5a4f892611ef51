"""Whole runs of a two-layer hero: what was learnt, saved, and told, whatever comes between."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, Realm, a_config, a_model, a_training, held_out_file, orders

from state import failpoints
from state.atomic import write_json
from state.contract.exit import RunExit
from state.contract.files import read
from state.contract.manifest import Manifest
from state.contract.metrics import MetricsRecord
from state.contract.process import EXIT_ALREADY_CLAIMED
from state.contract.status import RunStatus
from state.layout import RunLayout
from trainer.checkpoints.load import read_manifest, verify_files
from trainer.engine.claim import held_lock
from trainer.engine.run import run

UPDATES_OF_TWENTY_FOUR_ROWS = 5  # 18 rows to train and 6 held out, 4 documents an update


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Give signals and failpoints back as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    failpoints.observe(None)
    for number, handler in before.items():
        signal.signal(number, handler)


def metrics(files: RunLayout, kind: str) -> list[MetricsRecord]:
    import msgspec

    lines = files.metrics.read_bytes().splitlines()
    found = [msgspec.json.decode(line, type=MetricsRecord) for line in lines]
    return [record for record in found if record.kind == kind]


def losses(files: RunLayout) -> dict[int, float | None]:
    return {record.step: record.loss for record in metrics(files, "update")}


def saved_steps(realm: Realm) -> list[int]:
    return sorted(
        int(path.name.partition("-")[2]) for path in realm.campaign.checkpoints.glob("checkpoint-*")
    )


def manifest(realm: Realm, step: int) -> Manifest:
    return read_manifest(realm.campaign.checkpoint(step))


def why(files: RunLayout) -> RunExit:
    return read(files.exit, RunExit)


def test_a_run_trains_its_quest_saves_and_says_finished(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()))

    assert run(files.request) == 0

    assert (why(files).reason, why(files).step, why(files).last_checkpoint_step) == ("finished", 5, 5)
    assert list(losses(files)) == [1, 2, 3, 4, 5]
    assert saved_steps(realm) == [5]
    verify_files(realm.campaign.checkpoint(5), manifest(realm, 5))
    assert read(files.status, RunStatus).phase == "exited"
    assert metrics(files, "started")[0].seconds is not None


def test_the_held_out_loss_is_measured_before_between_and_after(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()))
    run(files.request)
    found = metrics(files, "evaluation")
    assert [record.step for record in found] == [0, 4, 5]
    assert found[0].val_loss is not None
    assert found[-1].val_loss is not None
    assert found[-1].val_loss < found[0].val_loss
    assert manifest(realm, 5).measures.val_loss == found[-1].val_loss


def test_a_checkpoint_holds_a_held_out_loss_only_of_its_own_step(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), a_config(evaluate_every=4, save_every=3))
    run(files.request)
    assert [record.step for record in metrics(files, "evaluation")] == [0, 4, 5]
    assert manifest(realm, 3).measures.val_loss is None
    assert manifest(realm, 5).measures.val_loss is not None


def test_a_quest_without_held_out_rows_carries_no_loss_of_an_earlier_one(realm: Realm) -> None:
    run(realm.run(orders(realm.quest("q1"))).request)
    none = a_config(held_out_fraction=0.0)
    run(realm.run(orders(realm.quest("q2", rows=8, word="other")), none, resume_step=5).request)
    assert manifest(realm, 5).measures.val_loss is not None
    assert manifest(realm, 7).measures.val_loss is None


def test_a_file_may_serve_as_held_out_rows(realm: Realm) -> None:
    other = realm.quest("other", rows=8, word="test")
    files = realm.run(orders(realm.quest()), a_config(held_out_fraction=0.0), held_out=held_out_file(other))
    run(files.request)
    assert metrics(files, "quest_started")[0].rows == 24
    assert len(metrics(files, "evaluation")) == 3


@pytest.mark.parametrize(
    ("optimizer", "tied"),
    [("adamw", False), ("muon", False), ("adamw", True)],
    ids=["adamw", "muon", "tied embeddings"],
)
@pytest.mark.parametrize("leave_at", [1, 4, 7])
def test_a_resumed_run_has_the_losses_of_the_undisturbed_one_to_the_bit(
    realm: Realm, tmp_path: Path, optimizer: str, leave_at: int, *, tied: bool
) -> None:
    model = a_model(config={**TINY, "tie_word_embeddings": tied})
    config = a_config(training=a_training(optimizer=optimizer), model=model)
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


@pytest.mark.parametrize(
    ("change", "tolerance"),
    [
        ({"gradient_checkpointing": True}, 1e-5),
        ({"batch_size": 4, "gradient_accumulation": 1}, 1e-5),
        ({"precision": "bf16"}, 0.05),
    ],
    ids=["gradient checkpointing", "other micro-batches", "bf16 products"],
)
def test_how_an_update_is_computed_changes_its_loss_by_rounding_only(
    realm: Realm, tmp_path: Path, change: dict[str, object], tolerance: float
) -> None:
    usual = realm.run(orders(realm.quest()))
    run(usual.request)
    other = Realm(tmp_path / "other")
    files = other.run(orders(other.quest()), a_config(training=a_training(**change)))
    run(files.request)
    assert losses(files) == pytest.approx(losses(usual), rel=tolerance)


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


def test_checkpoints_come_every_so_many_updates_and_name_their_parent(realm: Realm) -> None:
    run(realm.run(orders(realm.quest()), a_config(save_every=2)).request)
    assert saved_steps(realm) == [2, 4, 5]
    assert manifest(realm, 2).parent_step is None
    assert manifest(realm, 5).parent_digest == manifest(realm, 4).digest
    assert [part.start for part in manifest(realm, 4).learnt] == [8]


def test_checkpoints_come_every_so_many_minutes(realm: Realm) -> None:
    import msgspec

    config = a_config()
    often = msgspec.structs.replace(
        config, checkpoint=msgspec.structs.replace(config.checkpoint, every_minutes=1e-9)
    )
    run(realm.run(orders(realm.quest()), often).request)
    assert saved_steps(realm) == [1, 2, 3, 4, 5]


def test_sigterm_saves_at_the_next_update_boundary_and_leaves_with_its_reason(realm: Realm) -> None:
    files = realm.run(orders(realm.quest(rows=400, epochs=50)))
    meanwhile(files, lambda: has_updates(files, 3), lambda: os.kill(os.getpid(), signal.SIGTERM))

    assert run(files.request) == 0

    assert (why(files).reason, why(files).message) == ("stopped", "received SIGTERM")
    assert saved_steps(realm) == [why(files).step]
    assert why(files).step == max(losses(files))


def test_orders_to_stop_are_followed_with_their_reason(realm: Realm) -> None:
    quest = realm.quest(rows=400, epochs=50)
    files = realm.run(orders(quest))
    stop = orders(quest, sequence=2, stop="another campaign is active")
    meanwhile(files, lambda: has_updates(files, 3), lambda: write_json(files.orders, stop))

    assert run(files.request) == 0
    assert (why(files).reason, why(files).message) == ("stopped", "another campaign is active")


def test_a_pause_saves_and_waits_with_the_model_loaded(realm: Realm) -> None:
    quest = realm.quest(rows=100, epochs=4)
    files = realm.run(orders(quest))
    seen: list[int] = []

    def resume() -> None:
        seen.extend(saved_steps(realm))
        write_json(files.orders, orders(quest, sequence=3, goal_updates=seen[0] + 2))

    pause = orders(quest, sequence=2, pause=True)
    meanwhile(files, lambda: has_updates(files, 3), lambda: write_json(files.orders, pause))
    meanwhile(files, lambda: phase(files) == "paused", resume)

    assert run(files.request) == 0
    assert len(seen) == 1
    assert why(files).reason == "goal_reached"
    assert sorted(losses(files)) == list(range(1, seen[0] + 3))


def test_a_quest_that_comes_while_training_is_trained_by_the_same_process(realm: Realm) -> None:
    first, second = realm.quest("q1", rows=200, epochs=2), realm.quest("q2", word="other")
    files = realm.run(orders(first))
    more = orders(first, second, sequence=2)
    meanwhile(files, lambda: has_updates(files, 2), lambda: write_json(files.orders, more))

    assert run(files.request) == 0
    assert [record.quest_id for record in metrics(files, "quest_finished")] == ["q1", "q2"]
    assert len(metrics(files, "started")) == 1


def test_a_quest_moved_to_the_front_comes_next_and_the_other_goes_on_later(realm: Realm) -> None:
    first, second = realm.quest("q1", rows=200, epochs=2), realm.quest("q2", word="other")
    files = realm.run(orders(first))
    more = orders(second, first, sequence=2)
    meanwhile(files, lambda: has_updates(files, 2), lambda: write_json(files.orders, more))

    assert run(files.request) == 0
    assert [record.quest_id for record in metrics(files, "quest_finished")] == ["q2", "q1"]
    assert all(cursor.complete for cursor in manifest(realm, why(files).step).cursor)


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


def test_a_snapshot_that_was_changed_fails_the_run(realm: Realm) -> None:
    quest = realm.quest("changed")
    Path(quest.path).write_text(Path(quest.path).read_text().replace("row 1?", "row 9?"))
    files = realm.run(orders(quest))
    assert run(files.request) == 1
    assert why(files).failure_class == "data"
    assert "quest changed: " in why(files).message
    assert "The snapshot is damaged" in why(files).message


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
    assert "checkpoint-2: model.config is" in why(files).message
    assert "'intermediate_size': 64" in why(files).message
    assert "locked along a lineage" in why(files).message


def test_another_optimizer_cannot_take_over_the_state(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=2)).request)
    muon = a_config(training=a_training(optimizer="muon"))
    refused = realm.run(orders(realm.quest()), muon, resume_step=2)
    assert run(refused.request) == 1
    assert "optimizer.safetensors" in why(refused).message
    fresh = realm.run(orders(realm.quest()), muon, resume_step=2, optimizer_state="fresh")
    assert run(fresh.request) == 0


def test_a_full_disk_while_saving_keeps_the_last_checkpoint_and_says_which(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), a_config(save_every=2))
    fail_in_save(number=2)
    assert run(files.request) == 1
    failpoints.observe(None)
    found = why(files)
    assert (found.failure_class, found.last_checkpoint_step) == ("environment", 2)
    assert "checkpoint-4 could not be saved: [Errno 28] No space left on device" in found.message
    assert "checkpoint-2 is still the newest" in found.message
    assert [path.name for path in realm.campaign.checkpoints.iterdir()] == ["checkpoint-2"]
    verify_files(realm.campaign.checkpoint(2), manifest(realm, 2))


def test_what_a_dead_run_left_unfinished_is_removed_and_nothing_else(realm: Realm) -> None:
    checkpoints = realm.campaign.checkpoints
    (checkpoints / ".staging-7-abc").mkdir()
    (checkpoints / ".staging-7-abc" / "model.safetensors").write_bytes(b"half")
    (checkpoints / "checkpoint-99").mkdir()
    run(realm.run(orders(realm.quest())).request)
    assert sorted(path.name for path in checkpoints.iterdir()) == ["checkpoint-5", "checkpoint-99"]


def test_a_tokenizer_that_is_not_the_hashed_one_is_refused(realm: Realm) -> None:
    import msgspec

    config = a_config()
    other = msgspec.structs.replace(
        config, tokenizer=msgspec.structs.replace(config.tokenizer, digest="sha256:0")
    )
    files = realm.run(orders(realm.quest()), other)
    assert run(files.request) == 1
    assert "the request names sha256:0" in why(files).message


def test_the_log_is_for_people(realm: Realm, capsys: pytest.CaptureFixture[str]) -> None:
    run(realm.run(orders(realm.quest())).request)
    shown = capsys.readouterr().out
    for event in ("claimed", "started", "quest", "evaluated", "update", "saved", "finished"):
        assert f"Z  {event} " in shown


def test_metrics_are_json_lines_without_nan(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()))
    run(files.request)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    kinds = [
        json.loads(line, parse_constant=refuse)["kind"] for line in files.metrics.read_text().splitlines()
    ]
    assert kinds[0] == "started"
    assert kinds[-1] == "left"
    assert {"orders", "quest_started", "evaluation", "update", "checkpoint", "quest_finished"} < set(kinds)


def meanwhile(files: RunLayout, condition: Callable[[], bool], act: Callable[[], object]) -> None:
    """Act from another thread as soon as the condition holds."""

    def watch() -> None:
        deadline = time.monotonic() + 30
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.005)
        act()

    threading.Thread(target=watch, daemon=True).start()


def has_updates(files: RunLayout, count: int) -> bool:
    return files.metrics.exists() and files.metrics.read_bytes().count(b'"kind":"update"') >= count


def phase(files: RunLayout) -> str:
    return read(files.status, RunStatus).phase if files.status.exists() else "none"


def fail_in_save(number: int) -> None:
    """Let the disk be full when the manifest of this checkpoint is written."""
    met = 0

    def strike(name: str) -> None:
        nonlocal met
        met += name == "checkpoint.manifest"
        if met == number and name == "checkpoint.manifest":
            raise OSError(28, "No space left on device")

    failpoints.observe(strike)


def flip_a_bit(path: Path) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
