"""Whole runs of a two-layer hero: what was learnt, saved, and told, whatever comes between."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, a_training, held_out_file, orders
from seen import losses, manifest, metrics, saved_steps, why

from state.contract.effective import EffectiveRun
from state.contract.files import read
from state.contract.status import RunStatus
from trainer.checkpoints.load import verify_files
from trainer.engine.run import run


def test_a_run_trains_its_quest_saves_and_says_finished(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()))

    assert run(files.request) == 0

    assert (why(files).reason, why(files).step, why(files).last_checkpoint_step) == ("finished", 5, 5)
    assert list(losses(files)) == [1, 2, 3, 4, 5]
    assert saved_steps(realm) == [5]
    verify_files(realm.campaign.checkpoint(5), manifest(realm, 5))
    assert read(files.status, RunStatus).phase == "exited"
    assert metrics(files, "started")[0].seconds is not None


@pytest.mark.parametrize("how", ["packing: false", "ENABLE_PACKING=0"])
def test_without_packing_the_same_is_learnt(realm: Realm, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    packed = realm.run(orders(realm.quest()))
    config = a_config(training=a_training(packing=how != "packing: false"))
    alone = realm.run(orders(realm.quest()), config, checkpoints_dir=str(realm.campaign.folder / "others"))
    run(packed.request)
    if how == "ENABLE_PACKING=0":
        monkeypatch.setenv("ENABLE_PACKING", "0")
    run(alone.request)
    assert read(alone.effective, EffectiveRun).config.training.packing is False
    assert list(losses(alone).values()) == pytest.approx(list(losses(packed).values()), rel=1e-5)


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


def test_a_row_that_stands_in_the_held_out_file_is_never_trained(realm: Realm) -> None:
    files = realm.run(
        orders(realm.quest(rows=24, epochs=2)),
        a_config(held_out_fraction=0.0),
        held_out=held_out_file(realm.quest("held", rows=8)),  # the first eight of the same rows
    )
    assert run(files.request) == 0
    assert manifest(realm, saved_steps(realm)[-1]).measures.examples_seen == 2 * (24 - 8)


def test_a_file_may_serve_as_held_out_rows(realm: Realm) -> None:
    other = realm.quest("other", rows=8, word="test")
    files = realm.run(orders(realm.quest()), a_config(held_out_fraction=0.0), held_out=held_out_file(other))
    run(files.request)
    assert metrics(files, "quest_started")[0].rows == 24
    assert len(metrics(files, "evaluation")) == 3


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


def test_what_a_dead_run_left_unfinished_is_removed_and_nothing_else(realm: Realm) -> None:
    checkpoints = realm.campaign.checkpoints
    (checkpoints / ".staging-7-abc").mkdir()
    (checkpoints / ".staging-7-abc" / "model.safetensors").write_bytes(b"half")
    (checkpoints / "checkpoint-99").mkdir()
    run(realm.run(orders(realm.quest())).request)
    assert sorted(path.name for path in checkpoints.iterdir()) == ["checkpoint-5", "checkpoint-99"]


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
