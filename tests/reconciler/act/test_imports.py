"""A campaign begins with a folder of other software: its own copy, verified; the folder is not touched."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.observed.checkpoints import observe_checkpoints, verify_contents
from state.contract.files import read
from state.contract.imported import Imported
from state.contract.manifest import Manifest


def copy_of(realm: Any, make: Any, step: int = 500) -> Path:
    return realm.layout.campaign(make.other).checkpoint(step)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mode) for path in folder.iterdir()}


def test_the_copy_is_a_whole_checkpoint_and_says_where_it_is_from(realm: Any, make: Any) -> None:
    action = make.take_in(realm)
    before = contents(Path(action.source))

    (said,) = realm.done(action)

    assert said == f"{action.source}: {ledger(realm).canonical_name}, loss 0.500; the optimizer begins afresh"
    assert contents(Path(action.source)) == before
    folder = copy_of(realm, make).parent
    (found,) = observe_checkpoints(folder, realm.layout.root, make.other_uid).complete
    assert verify_contents(Path(found.path), found.manifest) == ()
    imported = found.manifest.imported
    assert isinstance(imported, Imported)
    assert (imported.producer, imported.source) == ("hugging-face-trainer", action.source)
    assert (imported.architecture, imported.vocab_size) == ("Qwen3ForCausalLM", 259)


def ledger(realm: Any) -> Any:
    (row,) = realm.view().ledger
    return row


def test_what_is_known_is_in_the_ledger_and_what_is_not_is_said_to_be_unknown(realm: Any, make: Any) -> None:
    realm.done(make.take_in(realm))

    row = ledger(realm)
    assert (row.step, row.train_loss, row.val_loss, row.learning_rate) == (500, 0.5, 0.75, 0.001)
    assert (row.config_hash, row.code_version, row.specs_commit) == ("unknown",) * 3
    assert (row.generation, row.attempt, row.parent_step) == (0, 0, None)
    manifest = read(copy_of(realm, make) / "manifest.json", Manifest)
    assert manifest.optimizer == "unknown"
    assert manifest.imported is not None
    assert set(manifest.imported.unknown) >= {"config_hash", "optimizer", "examples_seen", "tokens_seen"}


def test_row_and_campaign_json_say_where_the_campaign_began(realm: Any, make: Any) -> None:
    action = make.take_in(realm)
    realm.done(action)

    row = next(row for row in realm.view().campaigns if row.name == make.other)
    assert (row.starting_from, row.starting_checkpoint, row.starting_step) == (
        action.wanted,
        action.source,
        500,
    )
    record = realm.json(realm.layout.campaign(make.other).record)
    assert (record["starting_checkpoint"], record["current_step"]) == (action.source, 500)
    assert record["parent_campaign"] is None


def test_a_checkpoint_of_another_realm_keeps_its_optimizer_and_its_measures(
    realm: Any, make: Any, tmp_path: Path
) -> None:
    theirs = realm.save_checkpoint(7)
    source = tmp_path / "theirs" / "checkpoint-7"
    shutil.copytree(realm.layout.campaign(make.campaign).checkpoint(7), source)

    (said,) = realm.done(make.take_in(realm, source))

    manifest = read(copy_of(realm, make, 7) / "manifest.json", Manifest)
    assert "afresh" not in said
    assert (manifest.optimizer, manifest.measures, manifest.files) == (
        "adamw",
        theirs.measures,
        theirs.files,
    )
    assert (manifest.cursor, manifest.parent_step, manifest.generation) == ((), None, 0)


def test_what_changed_since_the_plan_is_not_taken_in(realm: Any, make: Any) -> None:
    action = make.take_in(realm)
    (Path(action.source) / "model.safetensors").write_bytes(b"torn")

    outcome = realm.fails(action)

    assert "not whole: model.safetensors has 4 bytes" in outcome.text
    assert not copy_of(realm, make).exists()
    shutil.rmtree(Path(action.source).parent)


def test_a_flipped_bit_in_another_realms_checkpoint_is_found_by_its_manifest(
    realm: Any, make: Any, tmp_path: Path
) -> None:
    realm.save_checkpoint(7)
    source = tmp_path / "theirs" / "checkpoint-7"
    realm.flip_a_bit(7)
    shutil.copytree(realm.layout.campaign(make.campaign).checkpoint(7), source)

    outcome = realm.fails(make.take_in(realm, source))

    assert "is damaged: model.safetensors has BLAKE3" in outcome.text
    assert outcome.permanent
    assert not copy_of(realm, make, 7).exists()


@pytest.mark.parametrize("name", ["checkpoint-500"])
def test_what_lies_in_the_way_is_left_alone(realm: Any, make: Any, name: str) -> None:
    place = copy_of(realm, make).parent / name
    place.mkdir(parents=True)
    (place / "mine.txt").write_text("mine")

    outcome = realm.fails(make.take_in(realm))

    assert "lies in the way of the import; move it away" in outcome.text
    assert (place / "mine.txt").read_text() == "mine"
