"""A checkpoint may keep its weights only: it is whole under a digest of its own, and its full form comes back."""

import msgspec
import pytest

from reconciler.observed.checkpoints import find_damage, observe_checkpoints
from state.contract.files import read
from state.contract.manifest import Manifest, manifest_digest


@pytest.fixture
def full(realm, make):
    """The manifest of the first of two recorded checkpoints."""
    first = realm.save_checkpoint(7)
    realm.done(make.record(first), make.record(realm.save_checkpoint(9)))
    return first


def folder(realm, make, step=7):
    return realm.layout.campaign(make.campaign).checkpoint(step)


def row_of(realm, step=7):
    return next(row for row in realm.view().ledger if row.step == step)


def test_what_is_left_is_a_whole_checkpoint_without_optimizer_state(realm, make, full):
    realm.done(make.demote(full))

    manifest = read(folder(realm, make) / "manifest.json", Manifest)
    places = realm.layout.campaign(make.campaign)
    found = observe_checkpoints(places.checkpoints, realm.layout.root, make.uid)
    assert [one.step for one in found.complete] == [7, 9]
    assert not find_damage(folder(realm, make), manifest)
    assert [entry.path for entry in manifest.files] == ["model.safetensors"]
    assert (manifest.demoted_from, manifest.digest) == (full.digest, manifest_digest(manifest))
    row = row_of(realm)
    assert (row.digest, row.has_optimizer, row.sequence) == (manifest.digest, False, 1)


def test_the_weights_take_no_second_room_and_are_frozen(realm, make, full):
    realm.done(make.demote(full))
    (stone,) = realm.view().trash
    kept, trashed = (
        one / "model.safetensors" for one in (folder(realm, make), realm.layout.root / stone.path)
    )
    assert kept.read_bytes() == trashed.read_bytes()
    assert kept.stat().st_mode & 0o222 == 0
    assert stone.size_bytes == len(b"state")


def test_the_tombstone_has_a_number_that_no_checkpoint_gets(realm, make, full):
    realm.done(make.demote(full))
    realm.done(make.record(realm.save_checkpoint(11)))
    (stone,) = realm.view().trash
    assert (stone.sequence, stone.keeps) == (3, row_of(realm).digest)
    assert row_of(realm, 11).sequence == 4


def test_an_undelete_brings_the_full_form_back(realm, make, full):
    before = {one.name: one.read_bytes() for one in folder(realm, make).iterdir() if one.name[0] != "."}
    realm.done(make.demote(full))
    realm.ask("undelete", f"{make.campaign}@7")

    (outcome,) = realm.perform(make.take_back(7, sequence=3))

    after = {one.name: one.read_bytes() for one in folder(realm, make).iterdir() if one.name[0] != "."}
    assert outcome.text == "tiny/campaign-001@7 has its optimizer state again"
    assert after == before
    assert (row_of(realm).digest, row_of(realm).has_optimizer) == (full.digest, True)
    assert [stone.state for stone in realm.view().trash] == ["restored"]


def test_after_the_purge_the_weights_stay_and_the_optimizer_is_told_to_be_gone(realm, make, full):
    realm.done(make.demote(full), make.purge(7, sequence=3))
    realm.ask("undelete", f"{make.campaign}@7")

    (outcome,) = realm.perform(make.take_back(7, sequence=3))

    assert outcome.text.endswith("the optimizer state of tiny/campaign-001@7 is deleted for good")
    assert not find_damage(folder(realm, make), read(folder(realm, make) / "manifest.json", Manifest))


def test_one_whose_weights_were_dropped_since_comes_back_in_two_steps(realm, make, full):
    realm.done(make.demote(full))
    lighter = read(folder(realm, make) / "manifest.json", Manifest)
    realm.done(make.drop(lighter))
    realm.ask("undelete", f"{make.campaign}@7")
    (outcome,) = realm.perform(make.take_back(7, sequence=3))
    assert "the weights that it kept are dropped" in outcome.text
    assert len(realm.view().trash) == 2

    realm.ask("undelete", f"{make.campaign}@7")
    (weights,) = realm.done(msgspec.structs.replace(make.take_back(7, sequence=1), request_id=2))
    assert weights.endswith(
        "; it has its weights, and its optimizer state lies in the trash, too: reconcile undelete "
        f"{make.campaign}@7 once more takes that back"
    )
    realm.ask("undelete", f"{make.campaign}@7")
    (whole,) = realm.done(msgspec.structs.replace(make.take_back(7, sequence=3), request_id=3))
    assert whole == f"{make.campaign}@7 has its optimizer state again"


def test_a_damaged_one_is_not_demoted(realm, make, full):
    realm.flip_a_bit(7)
    (outcome,) = realm.perform(make.demote(full))
    assert not outcome.ok
    assert "is damaged: model.safetensors has BLAKE3" in outcome.text
    assert (folder(realm, make) / "optimizer.safetensors").exists()
    assert realm.view().trash == ()


def test_one_without_optimizer_state_is_left_as_it_is(realm, make, full):
    realm.done(make.demote(full))
    lighter = read(folder(realm, make) / "manifest.json", Manifest)
    (outcome,) = realm.perform(make.demote(lighter))
    assert not outcome.ok
    assert "has no optimizer state; nothing was changed" in outcome.text


def test_a_damaged_full_form_is_not_taken_back_and_its_damage_is_written_down(realm, make, full):
    realm.done(make.demote(full))
    (stone,) = realm.view().trash
    state = realm.layout.root / stone.path / "optimizer.safetensors"
    state.chmod(0o600)
    state.write_bytes(b"x" * state.stat().st_size)
    realm.ask("undelete", f"{make.campaign}@7")

    (text,) = realm.done(make.take_back(7, sequence=stone.sequence))

    assert text.endswith("it stays in the trash")
    (found,) = realm.view().trash
    assert (found.state, found.damage in text) == ("trashed", True)
    assert realm.json(realm.layout.root / f"{stone.path}.json")["damage"] == found.damage
