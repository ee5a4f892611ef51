"""A campaign deleted whole lies in the trash with its tombstone, comes back as it was, and keeps row and number."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest


@pytest.fixture
def at_rest(realm: Any, make: Any) -> Any:
    """A realm whose first campaign has a recorded checkpoint and is not active any more."""
    realm.manifest = realm.save_checkpoint(7)
    realm.done(make.record(realm.manifest), make.activate(make.other, make.campaign))
    realm.places = realm.layout.campaign(make.campaign)
    realm.grave = realm.layout.deleted_campaign(make.uid)
    return realm


def contents(folder: Any) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def status(realm: Any, make: Any) -> str:
    return {row.name: row.status for row in realm.view().campaigns}[make.campaign]


def test_a_deleted_campaign_lies_whole_in_the_trash_with_its_tombstone(at_rest: Any, make: Any) -> None:
    before = contents(at_rest.places.folder)

    assert at_rest.done(make.delete(at_rest.manifest)) == [
        "in the trash; reconcile undelete tiny/campaign-001 takes it back"
    ]

    assert not at_rest.places.folder.exists()
    after = contents(at_rest.grave)
    assert set(after) - set(before) == {"archive_summary.json"}
    assert {name: after[name] for name in before if name != "campaign.json"} == {
        name: before[name] for name in before if name != "campaign.json"
    }
    assert at_rest.json(at_rest.grave / "campaign.json")["status"] == "deleted"
    (stone,) = at_rest.view().trash
    assert (stone.state, stone.kind, stone.thing) == ("trashed", "asked", make.campaign)
    assert at_rest.json(at_rest.grave.with_name(f"{at_rest.grave.name}.json"))["campaign"] == make.campaign


def test_row_and_ledger_of_a_deleted_campaign_stay_after_its_purge(at_rest: Any, make: Any) -> None:
    at_rest.done(make.delete(at_rest.manifest), make.purge_whole())

    assert not at_rest.grave.exists()
    assert status(at_rest, make) == "deleted"
    assert [row.step for row in at_rest.view().ledger] == [7]
    assert at_rest.view().trash[0].state == "purged"


def test_a_campaign_taken_back_is_as_it_was_and_the_line_that_stands_counts_no_more(
    at_rest: Any, make: Any
) -> None:
    before = contents(at_rest.places.folder)
    at_rest.ask("undelete", make.campaign)
    at_rest.done(make.delete(at_rest.manifest))

    (said,) = at_rest.done(make.take_back_whole())

    assert said == ("tiny/campaign-001 is back, paused; state: deleted counts no more while that line stands")
    assert at_rest.view().trash[0].overrules == "state: deleted"
    after = contents(at_rest.places.folder)
    assert {name: after[name] for name in before} == before
    assert status(at_rest, make) == "paused"
    assert at_rest.view().trash[0].state == "restored"


def test_an_archived_campaign_comes_back_into_the_archive(at_rest: Any, make: Any) -> None:
    at_rest.done(make.archive(), make.delete(at_rest.manifest))
    archived = at_rest.layout.campaign(make.campaign, archived=True)
    assert not archived.folder.exists()
    at_rest.ask("undelete", make.campaign)

    at_rest.done(make.take_back_whole())

    assert at_rest.json(archived.record)["status"] == "archived"
    assert archived.checkpoint(7).is_dir()


def test_damage_in_a_campaign_taken_back_is_named_and_written_down(at_rest: Any, make: Any) -> None:
    at_rest.flip_a_bit(7)
    at_rest.ask("undelete", make.campaign)
    at_rest.done(make.delete(at_rest.manifest))

    assert "; checkpoint 7 is damaged: " in at_rest.done(make.take_back_whole())[0]
    assert str(at_rest.view().ledger[0].damage).startswith("model.safetensors has BLAKE3")


def test_a_campaign_is_not_taken_back_over_what_has_its_place(at_rest: Any, make: Any) -> None:
    at_rest.done(make.delete(at_rest.manifest))
    at_rest.places.folder.mkdir()
    (at_rest.places.folder / "mine").write_text("mine")
    at_rest.ask("undelete", make.campaign)

    (said,) = at_rest.done(make.take_back_whole())

    assert said == f"not taken back: {at_rest.places.folder} is taken; it stays in the trash"
    assert contents(at_rest.places.folder) == {"mine": b"mine"}
    assert at_rest.grave.is_dir()


def test_a_campaign_that_its_spec_wants_again_comes_back_and_its_deletion_is_over(
    at_rest: Any, make: Any
) -> None:
    before = contents(at_rest.places.folder)
    at_rest.done(make.delete(at_rest.manifest))

    assert at_rest.done(make.take_back_unasked()) == ["tiny/campaign-001 is back, paused"]

    after = contents(at_rest.places.folder)
    assert {name: after[name] for name in before} == before
    assert (at_rest.view().trash[0].state, at_rest.view().trash[0].overrules) == ("restored", None)


def test_a_campaign_that_its_spec_wants_again_and_whose_place_is_taken_stays_in_the_trash_and_that_fails(
    at_rest: Any, make: Any
) -> None:
    at_rest.done(make.delete(at_rest.manifest))
    at_rest.places.folder.mkdir()

    assert "is taken; it stays in the trash" in at_rest.fails(make.take_back_unasked()).text

    assert at_rest.grave.is_dir()
    assert (at_rest.view().trash[0].state, at_rest.view().trash[0].wanted_at) == ("trashed", make.now)


def test_what_has_the_place_of_a_campaign_that_its_spec_wants_again_is_looked_at_before_it_is_taken_for_it(
    at_rest: Any, make: Any
) -> None:
    at_rest.done(make.delete(at_rest.manifest))
    at_rest.grave.rename(at_rest.places.folder)
    shutil.rmtree(at_rest.places.checkpoint(7))

    assert "is not what was deleted; it is let be" in at_rest.fails(make.take_back_unasked()).text

    assert (status(at_rest, make), at_rest.view().trash[0].state) == ("deleted", "trashed")
    at_rest.ask("undelete", make.campaign)
    assert at_rest.done(make.take_back_whole())[0].startswith("tiny/campaign-001 is back, paused")


def test_that_a_deletion_is_over_is_kept_with_the_campaign_in_the_trash_and_not_with_another_deletion(
    at_rest: Any, make: Any
) -> None:
    at_rest.done(make.delete(at_rest.manifest))
    beside = at_rest.grave.with_name(f"{at_rest.grave.name}.json")

    at_rest.done(make.call_off_deletion())
    assert (at_rest.view().trash[0].state, at_rest.view().trash[0].wanted_at) == ("trashed", make.now)
    assert json.loads(beside.read_text())["wanted_at"] == make.now

    at_rest.done(make.take_back_unasked(), make.delete(at_rest.manifest))
    assert (at_rest.view().trash[0].state, at_rest.view().trash[0].wanted_at) == ("trashed", None)


def test_a_deletion_is_called_off_while_the_trash_cannot_be_written_to(at_rest: Any, make: Any) -> None:
    at_rest.done(make.delete(at_rest.manifest))
    beside = at_rest.grave.with_name(f"{at_rest.grave.name}.json")
    before = beside.read_bytes()

    at_rest.done(msgspec.structs.replace(make.call_off_deletion(), is_mirrored=False))

    assert at_rest.view().trash[0].wanted_at == make.now
    assert beside.read_bytes() == before


def test_a_purged_campaign_cannot_be_taken_back(at_rest: Any, make: Any) -> None:
    at_rest.done(make.delete(at_rest.manifest), make.purge_whole())
    at_rest.ask("undelete", make.campaign)

    assert at_rest.done(make.take_back_whole()) == ["tiny/campaign-001 is deleted for good"]


def test_a_checkpoint_whose_campaign_is_deleted_comes_back_after_that(at_rest: Any, make: Any) -> None:
    at_rest.done(make.record(at_rest.save_checkpoint(9)), make.drop(at_rest.manifest))
    newest = at_rest.places.checkpoint(9) / "manifest.json"
    from state.contract.files import read
    from state.contract.manifest import Manifest

    at_rest.done(make.delete(read(newest, Manifest)))
    at_rest.ask("undelete", f"{make.campaign}@7")

    assert at_rest.done(make.take_back(7)) == [
        "not taken back: its campaign is deleted; first: reconcile undelete tiny/campaign-001"
    ]
    assert not at_rest.places.folder.exists()


def test_the_active_campaign_is_not_deleted(realm: Any, make: Any) -> None:
    assert "tiny/campaign-001 is active; the plan makes another" in realm.fails(make.delete()).text
    assert realm.layout.campaign(make.campaign).record.exists()


def test_a_campaign_with_a_run_that_is_not_over_is_not_deleted(at_rest: Any, make: Any) -> None:
    at_rest.done(make.launch())

    assert "a run of tiny/campaign-001 is not over" in at_rest.fails(make.delete(at_rest.manifest)).text


def test_a_campaign_that_changed_since_the_plan_is_not_deleted(at_rest: Any, make: Any) -> None:
    at_rest.save_checkpoint(9)

    outcome = at_rest.fails(make.delete(at_rest.manifest))

    assert (
        f"{at_rest.places.folder}: its checkpoints changed since the plan; nothing was deleted"
        in outcome.text
    )


def test_a_deleted_campaign_is_not_made_active_and_no_folder_is_made_for_it(at_rest: Any, make: Any) -> None:
    at_rest.done(make.delete(at_rest.manifest))

    assert "is deleted; the plan restores it first" in at_rest.fails(make.activate()).text
    at_rest.done(make.activate(make.other))
    assert not at_rest.places.folder.exists()


def test_a_copy_that_somebody_put_back_by_hand_is_let_be_and_the_deletion_stands(
    at_rest: Any, make: Any
) -> None:
    at_rest.done(make.delete(at_rest.manifest))
    shutil.copytree(at_rest.grave, at_rest.places.folder)

    assert "has its place; nothing was done" in at_rest.fails(make.delete(at_rest.manifest)).text
    assert status(at_rest, make) == "deleted"
    assert at_rest.grave.is_dir()
    assert at_rest.places.folder.is_dir()


@pytest.mark.parametrize("is_moved", [True, False])
def test_whatever_else_lies_in_the_place_of_a_deleted_campaign_is_let_be_and_its_deletion_stands(
    at_rest: Any, make: Any, is_moved: bool
) -> None:
    at_rest.done(make.delete(at_rest.manifest))
    if not is_moved:
        shutil.rmtree(at_rest.grave)
    at_rest.places.folder.mkdir()
    _thesis(at_rest.places.folder)

    said = "has its place; nothing was done" if is_moved else "its checkpoints changed since the plan"
    assert said in at_rest.fails(make.delete(at_rest.manifest)).text
    assert [one.name for one in at_rest.places.folder.iterdir()] == ["thesis.txt"]
    assert status(at_rest, make) == "deleted"


def _thesis(folder: Path) -> None:
    (folder / "thesis.txt").write_text("mine")


def _backup(folder: Path) -> None:
    shutil.copytree(folder / "checkpoints/checkpoint-7", folder / "backup")


def _status(folder: Path) -> None:
    (folder / "status").mkdir(exist_ok=True)
    (folder / "status/mine.json").write_text("{}")


def _log(folder: Path) -> None:
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs/my.log").write_text("mine")


def _run(folder: Path) -> None:
    (folder / "runs/g9-a9").mkdir(parents=True)
    (folder / "runs/g9-a9/mine").write_text("mine")


def _fifo(folder: Path) -> None:
    os.mkfifo(folder / "fifo")


def _link(folder: Path) -> None:
    (folder / "elsewhere").symlink_to(folder.parent)


def _empty(folder: Path) -> None:
    (folder / "empty").mkdir()


def _in_a_checkpoint(folder: Path) -> None:
    (folder / "checkpoints/checkpoint-7/mine.txt").write_text("mine")


def _other_checkpoint(folder: Path) -> None:
    (folder / "checkpoints/checkpoint-7-final").mkdir()


FOREIGN = {
    "thesis.txt": _thesis,
    "backup": _backup,
    "status/mine.json": _status,
    "logs/my.log": _log,
    "runs/g9-a9": _run,
    "fifo": _fifo,
    "elsewhere": _link,
    "empty": _empty,
    "checkpoints/checkpoint-7/mine.txt": _in_a_checkpoint,
    "checkpoints/checkpoint-7-final": _other_checkpoint,
}


@pytest.mark.parametrize("name", sorted(set(FOREIGN) - {"checkpoints/checkpoint-7/mine.txt"}))
def test_a_campaign_with_something_that_is_not_ours_is_not_deleted(
    at_rest: Any, make: Any, name: str
) -> None:
    FOREIGN[name](at_rest.places.folder)

    outcome = at_rest.fails(make.delete(at_rest.manifest))

    assert f"{at_rest.places.folder} holds what is not ours: {name}; nothing was deleted" in outcome.text
    assert at_rest.places.folder.is_dir()
    assert not at_rest.view().trash


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_put_into_a_deleted_campaign_holds_its_purge(at_rest: Any, make: Any, name: str) -> None:
    at_rest.done(make.delete(at_rest.manifest))
    FOREIGN[name](at_rest.grave)
    before = contents(at_rest.grave)

    outcome = at_rest.fails(make.purge_whole())

    assert f"{at_rest.grave} holds what is not ours: {name}; nothing of it was deleted" in outcome.text
    assert contents(at_rest.grave) == before
    assert at_rest.view().trash[0].state == "trashed"


def test_a_campaign_goes_for_good_with_its_runs_logs_and_unfinished_saves(at_rest: Any, make: Any) -> None:
    staging = at_rest.places.checkpoints / ".staging-9-x"
    staging.mkdir()
    (staging / "model.safetensors").write_bytes(b"half")
    at_rest.places.logs.mkdir(exist_ok=True)
    at_rest.places.training_log.symlink_to("../runs/g1-a1/training.log")

    at_rest.done(make.delete(at_rest.manifest), make.purge_whole())

    assert not at_rest.grave.exists()
    assert at_rest.view().trash[0].state == "purged"
