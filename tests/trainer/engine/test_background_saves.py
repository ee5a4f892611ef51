"""Checkpoints that are written while training goes on: the same bytes, in the right order, whatever happens."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from apart import Apart
from blake3 import blake3
from builders import Realm, a_config, a_training, orders
from safetensors.torch import load_file
from seen import losses, manifest, metrics, saved_steps, why
from strikes import SIZE, in_the_writer, run_killed_in_the_writer, save_in_little_memory

from state import failpoints
from state.layout import RunLayout
from trainer.checkpoints.load import read_manifest, verify_files
from trainer.engine.run import run

EVERY_TWO = a_config(save_every=2, evaluate_every=0)


def until_trained(files: RunLayout, step: int) -> Callable[[str], None]:
    """Hold the writer at its manifest until this update was made."""

    def wait(name: str) -> None:
        while name == "checkpoint.manifest" and step not in losses(files):
            time.sleep(0.002)

    return wait


def content(folder: Path) -> dict[str, bytes]:
    """Return every file but the manifest, which holds times and the run's number."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


def test_what_is_saved_while_training_goes_on_is_what_a_save_that_waits_writes(
    realm: Realm, tmp_path: Path
) -> None:
    going_on = realm.run(orders(realm.quest()), a_config(save_every=3, evaluate_every=0))
    in_the_writer(until_trained(going_on, 5))
    run(going_on.request)
    other = Realm(tmp_path / "other")
    waiting = other.run(orders(other.quest(), goal_updates=3), EVERY_TWO)
    failpoints.observe(None)
    run(waiting.request)

    assert len(metrics(going_on, "update")) == 5
    assert content(realm.campaign.checkpoint(3)) == content(other.campaign.checkpoint(3))


def test_a_checkpoint_names_the_published_parent_and_what_was_learnt_since(realm: Realm) -> None:
    files = realm.run(orders(realm.quest(epochs=2)), EVERY_TWO)
    in_the_writer(until_trained(files, 3))
    run(files.request)

    assert saved_steps(realm) == [2, 4, 6, 8, 9]
    for step, parent in ((4, 2), (6, 4), (8, 6), (9, 8)):
        found = manifest(realm, step)
        assert (found.parent_step, found.parent_digest) == (parent, manifest(realm, parent).digest)
    rows = [
        (part.epoch, part.start, part.stop)
        for step in saved_steps(realm)
        for part in manifest(realm, step).learnt
    ]
    assert rows == [(0, 0, 8), (0, 8, 16), (0, 16, 18), (1, 0, 6), (1, 6, 14), (1, 14, 18)]


def test_the_metrics_say_how_long_training_stood_still_and_how_long_the_write_took(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), EVERY_TWO)
    run(files.request)
    found = metrics(files, "checkpoint")
    assert [record.step for record in found] == [2, 4, 5]
    for record in found:
        assert record.stall_seconds is not None
        assert record.write_seconds is not None
        assert record.seconds == pytest.approx(record.stall_seconds + record.write_seconds, abs=1e-3)
    assert "bytes of memory" in (metrics(files, "copies")[0].note or "")


def test_a_write_that_fails_ends_the_run_at_the_next_update_and_keeps_what_is_there(realm: Realm) -> None:
    files = realm.run(orders(realm.quest(rows=60)), EVERY_TWO)
    seen: list[str] = []

    def strike(name: str) -> None:
        seen.append(name)
        if seen.count("checkpoint.manifest") == 2:
            raise OSError(5, "Input/output error", "the disk")

    in_the_writer(strike)
    assert run(files.request) == 1

    assert (why(files).failure_class, why(files).last_checkpoint_step) == ("environment", 2)
    assert "checkpoint-4 could not be saved: [Errno 5] Input/output error" in why(files).message
    assert "checkpoint-2 is still the newest" in why(files).message
    assert len(losses(files)) <= 6
    assert [path.name for path in realm.campaign.checkpoints.iterdir()] == ["checkpoint-2"]


def test_a_failure_of_the_training_leaves_the_checkpoint_that_was_being_written(realm: Realm) -> None:
    wild = a_training(learning_rate=1e38, clip=1e38, warmup_steps=0)
    files = realm.run(orders(realm.quest("wild")), a_config(training=wild, save_every=1, evaluate_every=0))
    assert run(files.request) == 1
    assert (why(files).failure_class, why(files).last_checkpoint_step) == ("nan", 1)
    verify_files(realm.campaign.checkpoint(1), manifest(realm, 1))


def test_who_is_asked_to_leave_while_a_checkpoint_is_written_leaves_after_it(realm: Realm) -> None:
    files = realm.run(orders(realm.quest(rows=60)), EVERY_TWO)

    def ask(name: str) -> None:
        if name == "checkpoint.manifest":
            os.kill(os.getpid(), signal.SIGTERM)

    in_the_writer(ask)
    assert run(files.request) == 0
    assert why(files).reason == "stopped"
    assert why(files).last_checkpoint_step == why(files).step == saved_steps(realm)[-1]


def points_of_a_save(realm: Realm) -> int:
    """Return how many failpoints the writer reaches for one checkpoint."""
    names: list[str] = []
    in_the_writer(names.append)
    run(realm.run(orders(realm.quest(), goal_updates=2), EVERY_TWO).request)
    failpoints.observe(None)
    return len(names)


@pytest.mark.parametrize("each", [5, pytest.param(1, marks=pytest.mark.long)], ids=["every fifth", "all"])
def test_a_kill_at_any_point_of_the_writer_costs_no_checkpoint_and_changes_no_bit(
    realm: Realm, tmp_path: Path, apart: Apart, each: int
) -> None:
    run(realm.run(orders(realm.quest()), EVERY_TWO).request)
    num_points = points_of_a_save(Realm(tmp_path / "counted"))
    for point in range(1, num_points + 1, each):
        place = Realm(tmp_path / str(point))
        files = place.run(orders(place.quest()), EVERY_TWO)
        assert apart(run_killed_in_the_writer, num_points + point, files) == -signal.SIGKILL
        steps = saved_steps(place)
        assert steps in ([2], [2, 4])
        for step in steps:
            folder = place.campaign.checkpoint(step)
            verify_files(folder, read_manifest(folder))
        run(place.run(orders(place.quest()), EVERY_TWO, resume_step=steps[-1]).request)
        assert saved_steps(place) == [2, 4, 5]
        assert content(place.campaign.checkpoint(5)) == content(realm.campaign.checkpoint(5))


def test_without_memory_for_a_copy_training_waits_for_the_same_bytes(apart: Apart, tmp_path: Path) -> None:
    blake3(max_threads=blake3.AUTO).update(
        bytes(1 << 24)
    )  # a fork of this process would wait for these threads
    assert apart(save_in_little_memory, tmp_path) == 0
    assert load_file(tmp_path / "checkpoint-1" / "model.safetensors")["weight"].sum() == SIZE
