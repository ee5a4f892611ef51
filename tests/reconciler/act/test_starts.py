"""A campaign begins with a checkpoint of another one: its own copy, verified, and the source untouched."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.observed.checkpoints import observe_checkpoints, verify_contents
from state import links
from state.contract.files import read
from state.contract.manifest import Manifest, QuestCursor

CURSOR = QuestCursor(
    quest_id="sums", digest="d", epochs_done=1, rows_taken=0, complete=True, first_step=1, last_step=7, last_loss=0.5
)  # fmt: skip


@pytest.fixture
def source(realm: Any) -> Manifest:
    """A checkpoint of the first campaign that has learnt a quest."""
    manifest: Manifest = realm.save_checkpoint(7, cursor=(CURSOR,))
    return manifest


def copy_of(realm: Any, make: Any) -> Path:
    return realm.layout.campaign(make.other).checkpoint(7)


def test_the_copy_is_a_whole_checkpoint_of_the_new_campaign(realm: Any, make: Any, source: Manifest) -> None:
    realm.done(make.take_over(source))

    folder = copy_of(realm, make).parent
    (found,) = observe_checkpoints(folder, realm.layout.root, make.other_uid).complete
    assert verify_contents(Path(found.path), found.manifest) == ()
    assert found.manifest.files == source.files
    assert found.manifest.measures == source.measures


def test_the_copy_says_where_it_is_from_and_has_learnt_no_quest_of_its_campaign(
    realm: Any, make: Any, source: Manifest
) -> None:
    realm.done(make.take_over(source))

    manifest = read(copy_of(realm, make) / "manifest.json", Manifest)
    assert manifest.origin is not None
    assert (manifest.origin.campaign, manifest.origin.step) == (make.campaign, 7)
    assert manifest.origin.digest == manifest.parent_digest == source.digest
    assert (manifest.cursor, manifest.generation, manifest.attempt) == ((), 0, 0)


def test_row_ledger_and_campaign_json_say_where_the_campaign_began(
    realm: Any, make: Any, source: Manifest
) -> None:
    realm.done(make.take_over(source))

    row = next(row for row in realm.view().campaigns if row.name == make.other)
    assert (row.starting_from, row.starting_checkpoint) == (f"{make.campaign}@latest", f"{make.campaign}@7")
    assert (row.starting_step, row.starting_digest, row.parent_uid) == (7, source.digest, make.uid)
    (ledger,) = realm.view().ledger
    assert (ledger.campaign_uid, ledger.step, ledger.generation) == (make.other_uid, 7, 0)
    record = realm.json(realm.layout.campaign(make.other).record)
    assert (record["starting_checkpoint"], record["starting_step"]) == (f"{make.campaign}@7", 7)
    assert (record["current_step"], record["parent_campaign"]["campaign_id"]) == (7, "campaign-001")
    assert realm.json(copy_of(realm, make) / ".ledger.json")["campaign_id"] == "campaign-002"


def test_the_source_is_not_touched_and_its_bytes_are_shared(realm: Any, make: Any, source: Manifest) -> None:
    place = realm.layout.campaign(make.campaign).checkpoint(7)
    before = {path.name: (path.read_bytes(), path.stat().st_mode) for path in place.iterdir()}

    realm.done(make.take_over(source))

    assert {path.name: (path.read_bytes(), path.stat().st_mode) for path in place.iterdir()} == before
    copied = copy_of(realm, make) / "model.safetensors"
    assert copied.stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize("how", ["hard link", "copy"])
def test_without_reflinks_it_is_linked_and_without_links_copied(
    realm: Any, make: Any, source: Manifest, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(links, "_cloned", lambda *_: None)
    if how == "copy":
        monkeypatch.setattr(links, "_linked", lambda *_: None)

    realm.done(make.take_over(source))

    original = realm.layout.campaign(make.campaign).checkpoint(7) / "model.safetensors"
    copied = copy_of(realm, make) / "model.safetensors"
    assert original.samefile(copied) == (how == "hard link")
    assert original.read_bytes() == copied.read_bytes()


def test_a_damaged_source_is_not_taken_over_and_the_ledger_remembers(
    realm: Any, make: Any, source: Manifest
) -> None:
    realm.done(make.record(source))
    weights = realm.layout.campaign(make.campaign).checkpoint(7) / "model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(b"w" * weights.stat().st_size)

    outcome = realm.fails(make.take_over(source))

    assert "checkpoint-7 is damaged: " in outcome.text
    assert outcome.text.endswith("; nothing was taken over")
    assert list(copy_of(realm, make).parent.iterdir()) == []
    assert [row.healthy for row in realm.view().ledger] == [False]
    assert realm.view().ledger[0].damage is not None


def test_a_source_that_changed_since_the_plan_is_not_taken_over(
    realm: Any, make: Any, source: Manifest
) -> None:
    outcome = realm.fails(make.take_over(source, digest="blake3:other"))

    assert not outcome.permanent
    assert f"{make.campaign}@7 is not there with digest blake3:other any more" in outcome.text


def test_a_campaign_begins_only_once(realm: Any, make: Any, source: Manifest) -> None:
    realm.done(make.take_over(source))

    outcome = realm.fails(make.take_over(source, digest="blake3:other"))

    assert outcome.permanent
    assert f"{make.other} began with {make.campaign}@7; another start is another campaign" in outcome.text


def test_what_lies_in_the_starting_checkpoints_place_is_left_alone(
    realm: Any, make: Any, source: Manifest
) -> None:
    copy_of(realm, make).mkdir()

    outcome = realm.fails(make.take_over(source))

    assert "checkpoint-7 lies in the way of the starting checkpoint; move it away" in outcome.text
    assert list(copy_of(realm, make).iterdir()) == []


def test_a_checkpoint_of_an_archived_campaign_can_be_begun_with(
    realm: Any, make: Any, source: Manifest
) -> None:
    realm.done(make.record(source), make.activate(make.other, make.campaign), make.archive())

    realm.done(make.take_over(source))

    assert copy_of(realm, make).is_dir()
