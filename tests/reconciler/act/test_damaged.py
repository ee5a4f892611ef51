"""A damaged checkpoint is found before training goes on from it, and set aside; nothing of it is deleted."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.observed.checkpoints import observe_checkpoints
from state.contract.files import read
from state.contract.request import RunRequest


def checkpoints(realm: Any, make: Any) -> Path:
    return realm.layout.campaign(make.campaign).checkpoints


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def damaged(realm: Any, make: Any) -> Any:
    """Checkpoints 20 and 40 are recorded; then a bit of the newer one flips."""
    manifests = [realm.save_checkpoint(20), realm.save_checkpoint(40)]
    realm.done(*(make.record(manifest) for manifest in manifests))
    realm.flip_a_bit(40)
    return manifests[1]


def test_a_launch_does_not_go_on_from_a_damaged_checkpoint_and_remembers_it(
    damaged: Any, realm: Any, make: Any
) -> None:
    outcome = realm.fails(make.launch())

    assert "checkpoint-40 is damaged: model.safetensors has BLAKE3" in outcome.text
    assert not outcome.permanent
    assert realm.view().runs == ()
    rows = {row.step: row for row in realm.view().ledger}
    assert rows[20].damage is None
    assert str(rows[40].damage).startswith("model.safetensors has BLAKE3")
    assert not rows[40].healthy


def test_what_cannot_be_read_now_is_not_called_damaged(
    realm: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    realm.done(make.record(realm.save_checkpoint(40)))
    read_it = os.read

    def fail(descriptor: int, size: int) -> bytes:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "model.safetensors":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read_it(descriptor, size)

    monkeypatch.setattr(os, "read", fail)
    outcome = realm.fails(make.launch())

    assert "the disk or its connection is failing" in outcome.text
    assert realm.view().ledger[0].damage is None


def test_once_set_aside_it_lies_there_untouched_and_the_launch_goes_on_from_the_earlier_one(
    damaged: Any, realm: Any, make: Any
) -> None:
    before = contents(checkpoints(realm, make) / "checkpoint-40")
    realm.fails(make.launch())

    aside, _ = realm.done(make.set_aside(damaged), make.launch())

    name = aside.removeprefix("kept as ")
    assert name == f".damaged-40-{damaged.digest.removeprefix('blake3:')[:12]}"
    assert contents(checkpoints(realm, make) / name) == before
    assert read(realm.run.request, RunRequest).resume_step == 20
    facts = observe_checkpoints(checkpoints(realm, make), realm.layout.root)
    assert ([found.step for found in facts.complete], facts.foreign, facts.set_aside) == ([20], (), (name,))


def test_after_it_was_set_aside_its_step_can_be_saved_and_recorded_again(
    damaged: Any, realm: Any, make: Any
) -> None:
    realm.fails(make.launch())
    realm.done(make.set_aside(damaged))
    again = realm.save_checkpoint(40, attempt=2)

    realm.done(make.record(again))

    rows = [(row.step, row.digest, row.damage is None) for row in realm.view().ledger if row.step == 40]
    assert rows == [(40, damaged.digest, False), (40, again.digest, True)]


def test_one_that_was_restored_meanwhile_stays_and_counts_again(damaged: Any, realm: Any, make: Any) -> None:
    realm.fails(make.launch())
    realm.flip_a_bit(40)

    assert realm.done(make.set_aside(damaged)) == ["its contents are right again: it stays"]

    row = realm.view().ledger[-1]
    assert (row.step, row.damage, row.healthy) == (40, None, True)
    realm.done(make.launch())
    assert read(realm.run.request, RunRequest).resume_step == 40


def test_a_second_damaged_copy_does_not_take_the_place_of_the_first(
    damaged: Any, realm: Any, make: Any
) -> None:
    realm.fails(make.launch())
    (first,) = realm.done(make.set_aside(damaged))
    realm.save_checkpoint(40)
    realm.flip_a_bit(40)

    (second,) = realm.done(make.set_aside(damaged))

    assert second == f"{first}-2"


def test_what_the_ledger_does_not_know_is_not_moved(realm: Any, make: Any) -> None:
    manifest = realm.save_checkpoint(40)

    assert "the ledger has no row of blake3:" in realm.fails(make.set_aside(manifest)).text
    assert (checkpoints(realm, make) / "checkpoint-40").is_dir()


def test_once_set_aside_the_ledger_file_has_no_path_to_it_and_does_not_count_it(
    damaged: Any, realm: Any, make: Any
) -> None:
    index = realm.layout.campaign(make.campaign).checkpoint_index
    realm.fails(make.launch())

    realm.done(make.set_aside(damaged))

    said = json.loads(index.read_bytes())
    assert {step: one["state"] for step, one in said["checkpoints"].items()} == {
        "20": "complete",
        "40": "damaged",
    }
    assert (said["checkpoints"]["40"]["path"], said["checkpoint_count"]) == (None, 1)
    realm.done(make.record(realm.save_checkpoint(40, attempt=2)))
    assert json.loads(index.read_bytes())["checkpoint_count"] == 2
