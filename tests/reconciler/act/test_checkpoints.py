"""What a trainer published enters the ledger, verified, with its sidecar and campaign.json."""

import json
from typing import Any

import msgspec
import pytest

from reconciler.observed.checkpoints import observe_checkpoints
from state import failpoints
from state.contract.request import config_hash


def sidecar(realm: Any, make: Any, step: int) -> dict[str, Any]:
    return realm.json(realm.layout.campaign(make.campaign).checkpoint(step) / ".ledger.json")


def test_a_ledger_row_says_what_the_manifest_says(realm: Any, make: Any) -> None:
    manifest = realm.save_checkpoint(40)

    assert realm.done(make.record(manifest)) == ["checkpoint-40-20260131-1158, loss 0.500"]

    (row,) = realm.view().ledger
    assert (row.campaign_uid, row.segment, row.step, row.sequence) == (make.uid, 1, 40, 1)
    assert (row.digest, row.healthy, row.has_optimizer) == (manifest.digest, True, True)
    assert (row.train_loss, row.val_loss, row.total_examples_trained) == (0.5, 0.625, 3)
    assert row.path == f"campaigns/{make.campaign}/checkpoints/checkpoint-40"
    assert (row.config_hash, row.code_version, row.specs_commit) == (
        config_hash(make.config),
        "c" * 40,
        "d" * 40,
    )


def test_the_sidecar_repeats_the_row_under_the_names_of_the_older_systems(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(40)))

    found = sidecar(realm, make, 40)
    assert (found["canonical_name"], found["hero_id"], found["campaign_id"]) == (
        "checkpoint-40-20260131-1158", "tiny", "campaign-001",
    )  # fmt: skip
    assert (found["training_file"], found["config_hash"]) == ("sums", config_hash(make.config))


def test_campaign_json_has_come_as_far_as_the_newest_row(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(40)), make.record(realm.save_checkpoint(80)))

    found = realm.json(realm.layout.campaign(make.campaign).record)
    assert (found["current_step"], found["total_examples"]) == (80, 3)


def test_rows_are_numbered_in_the_order_of_recording_not_of_steps(realm: Any, make: Any) -> None:
    first, second = realm.save_checkpoint(80), realm.save_checkpoint(40)
    realm.done(make.record(first), make.record(second))

    assert [(row.step, row.sequence) for row in realm.view().ledger] == [(80, 1), (40, 2)]


def test_a_checkpoint_with_a_flipped_bit_is_recorded_as_damaged(realm: Any, make: Any) -> None:
    manifest = realm.save_checkpoint(40)
    realm.flip_a_bit(40)

    (text,) = realm.done(make.record(manifest))

    assert "damaged: model.safetensors has BLAKE3" in text
    (row,) = realm.view().ledger
    assert (row.healthy, row.damage) == (False, text.partition("damaged: ")[2])
    assert not (realm.layout.campaign(make.campaign).checkpoint(40) / ".ledger.json").exists()


def test_a_checkpoint_that_is_gone_is_not_recorded(realm: Any, make: Any) -> None:
    manifest = msgspec.structs.replace(realm.save_checkpoint(40), step=41)

    assert "checkpoint-41: not there with digest" in realm.fails(make.record(manifest)).text


def lose(realm: Any, make: Any, step: int) -> None:
    folder = realm.layout.campaign(make.campaign).checkpoint(step)
    folder.rename(folder.parents[1] / "taken away")


@pytest.mark.parametrize("later", [{"attempt": 2}, {"generation": 2, "attempt": 1}])
def test_a_step_that_was_lost_and_saved_again_by_a_later_run_is_recorded_beside_the_old_row(
    later: dict[str, int], realm: Any, make: Any
) -> None:
    first = realm.save_checkpoint(40)
    realm.done(make.record(first))
    lose(realm, make, 40)
    second = realm.save_checkpoint(40, **later)

    realm.done(make.record(second))

    assert [(row.step, row.sequence, row.digest) for row in realm.view().ledger] == [
        (40, 1, first.digest),
        (40, 2, second.digest),
    ]
    assert sidecar(realm, make, 40)["digest"] == second.digest


def test_the_ledger_never_forgets_which_checkpoint_it_recorded(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(40)))
    folder = realm.layout.campaign(make.campaign).checkpoint(40)
    folder.rename(folder.with_name("moved"))

    outcome = realm.fails(make.record(realm.save_checkpoint(40, specs_commit="e" * 40)))

    assert "nothing was overwritten: find out who replaced it" in outcome.text
    assert realm.view().ledger[0].specs_commit == "d" * 40


def test_the_sidecar_comes_after_the_row_and_unknown_keys_of_it_survive(realm: Any, make: Any) -> None:
    manifest = realm.save_checkpoint(40)
    path = realm.layout.campaign(make.campaign).checkpoint(40) / ".ledger.json"
    path.write_text(json.dumps({"note": "mine"}))
    rows_at_write: list[int] = []

    def look(name: str) -> None:
        if name == "file.create":
            rows_at_write.append(len(realm.view().ledger))

    realm.perform(make.record(manifest), before=lambda: failpoints.observe(look))
    failpoints.observe(None)

    assert rows_at_write[0] == 1
    assert sidecar(realm, make, 40)["note"] == "mine"


def test_recording_leaves_a_complete_checkpoint_complete(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(40)))

    facts = observe_checkpoints(realm.layout.campaign(make.campaign).checkpoints, realm.layout.root)
    assert ([found.step for found in facts.complete], facts.foreign, facts.staging) == ([40], (), ())


def test_a_sidecar_of_a_newer_software_is_left_as_it_is(realm: Any, make: Any) -> None:
    manifest = realm.save_checkpoint(40)
    path = realm.layout.campaign(make.campaign).checkpoint(40) / ".ledger.json"
    newer = b'{"ledger_version": "2.0.0", "step": {"of": 40}, "pins": ["kim"]}'
    path.write_bytes(newer)

    realm.done(make.record(manifest))
    realm.done(make.activate(make.other, make.campaign), make.archive())

    (row,) = realm.view().ledger
    assert (row.step, row.damage) == (40, None)
    archived = realm.layout.campaign(make.campaign, archived=True).checkpoint(40)
    assert (archived / ".ledger.json").read_bytes() == newer


def test_a_sidecar_of_a_newer_minor_version_is_written_and_keeps_what_only_it_says(
    realm: Any, make: Any
) -> None:
    manifest = realm.save_checkpoint(40)
    path = realm.layout.campaign(make.campaign).checkpoint(40) / ".ledger.json"
    path.write_bytes(b'{"ledger_version": "1.9.0", "pins": ["kim"]}')

    realm.done(make.record(manifest))

    found = sidecar(realm, make, 40)
    assert (found["step"], found["pins"], found["ledger_version"]) == (40, ["kim"], "1.2.0")
