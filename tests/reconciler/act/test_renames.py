"""A campaign gets another name: what its trainer does goes on, and no other campaign loses its own."""

from typing import Any

import msgspec
from kill_worlds import exported

from state.contract.files import read
from state.contract.manifest import Manifest

NEW = "tiny/first-light"


def test_a_trainer_that_lives_through_a_rename_is_stopped_under_the_new_name(realm: Any, make: Any) -> None:
    realm.start_trainer()
    realm.done(make.rename(NEW))
    realm.done(msgspec.structs.replace(make.stop(), campaign=NEW), launcher=make.tiny_trainers())
    assert realm.run.exit.exists()
    assert not realm.layout.campaign(NEW).folder.exists()


def test_a_name_that_another_campaign_has_is_refused_and_nothing_changes(realm: Any, make: Any) -> None:
    before = realm.rows("campaigns")
    outcome = realm.fails(make.rename(make.other))
    assert f"has the name {make.other} already; nothing was renamed" in outcome.text
    assert realm.rows("campaigns") == before


def test_what_began_with_a_checkpoint_of_a_renamed_campaign_names_it_as_it_is_called(
    realm: Any, make: Any
) -> None:
    realm.done(make.take_over(realm.save_checkpoint(7)))
    realm.done(make.rename(NEW))
    (row,) = [row for row in realm.view().campaigns if row.uid == make.other_uid]
    assert (row.starting_from, row.starting_checkpoint) == (f"{NEW}@latest", f"{NEW}@7")
    record = realm.json(realm.layout.campaign(make.other).record)
    assert record["starting_checkpoint"] == f"{NEW}@7"


def test_the_jobs_of_a_renamed_campaign_have_its_hero_and_its_id(realm: Any, make: Any) -> None:
    realm.done(make.rename("mini/first"))
    assert {(job["hero_id"], job["campaign_id"]) for job in realm.rows("jobs")} == {("mini", "first")}


def test_a_copy_elsewhere_of_a_renamed_campaign_is_the_one_that_was_made_before(
    realm: Any, make: Any
) -> None:
    manifest = realm.save_checkpoint(7)
    realm.done(make.record(manifest))
    realm.done(make.copy_out(realm, manifest))
    before = exported(realm, make)
    realm.done(make.rename(NEW))
    again = msgspec.structs.replace(make.copy_out(realm, manifest), campaign=NEW)
    realm.done(again)
    (copy,) = realm.view().copies
    assert copy.path == str(before)
    assert read(before / "manifest.json", Manifest).digest == manifest.digest


def test_what_a_rename_of_a_legend_says_is_the_folder_that_is_there(realm: Any, make: Any) -> None:
    realm.done(make.record(realm.save_checkpoint(7)), make.activate(make.other, make.campaign))
    (folder,) = realm.done(make.archive())
    assert realm.done(make.rename(NEW)) == [f"it was {make.campaign}; its folder stays {folder}"]
    assert (realm.layout.root / folder).is_dir()


def test_campaigns_that_exchange_their_names_do_it_once_however_often_the_action_comes(
    realm: Any, make: Any
) -> None:
    for _ in range(2):
        realm.done(make.exchange())
        names = {row.uid: (row.name, row.folder_name) for row in realm.view().campaigns}
        assert names == {make.uid: (make.other, make.campaign), make.other_uid: (make.campaign, make.other)}
    assert realm.view().renamed_since == {make.uid: make.campaign, make.other_uid: make.other}
