"""Dropping is a rename that can be taken back; one function deletes, and only what its tombstone gives free."""

import json
from contextlib import closing

import msgspec
import pytest

from reconciler.plan import actions as a
from state.store.connection import open_reader, open_writer
from state.store.lineage import manifest_of
from state.store.rows import ManifestRow
from state.store.tables import select


@pytest.fixture
def two(realm, make):
    """A realm with two recorded checkpoints; the first one's manifest."""
    first = realm.save_checkpoint(7)
    realm.done(make.record(first), make.record(realm.save_checkpoint(9)))
    return first


def folder(realm, make, step):
    return realm.layout.campaign(make.campaign).checkpoint(step)


def files(path):
    return {one.name: one.read_bytes() for one in path.iterdir()}


def test_a_dropped_checkpoint_lies_whole_in_the_trash_with_its_tombstone(realm, make, two):
    before = files(folder(realm, make, 7))
    realm.done(make.drop(two))
    [stone] = realm.view().trash
    assert not folder(realm, make, 7).exists()
    assert files(realm.layout.root / stone.path) == before
    assert (stone.state, stone.reason, stone.grace_seconds) == ("trashed", "rolled out of the last 1", 3600.0)
    mirror = realm.layout.root / f"{stone.path}.json"
    assert json.loads(mirror.read_bytes())["digest"] == two.digest


def test_the_ledger_row_of_a_dropped_checkpoint_stays(realm, make, two):
    """Kills: merge-on-save and four engines, after which the ledger listed what was not there, and the reverse."""
    realm.done(make.drop(two), make.purge(7))
    assert [row.step for row in realm.view().ledger] == [7, 9]


def kept_manifests(realm):
    with open_reader(realm.layout.store) as store:
        return {row.digest: manifest_of(row) for row in select(store, ManifestRow)}


def test_what_a_deleted_checkpoint_had_learnt_stays_in_the_store(realm, make, two):
    realm.done(make.drop(two), make.purge(7))
    assert kept_manifests(realm)[two.digest] == msgspec.structs.replace(two, cursor=())


def test_dropping_keeps_what_an_older_version_had_not_kept(realm, make, two):
    with closing(open_writer(realm.layout.store)) as store:
        store.execute("DELETE FROM manifests")
    realm.done(make.drop(two))
    assert list(kept_manifests(realm)) == [two.digest]


def test_dropping_step_7_leaves_step_70_and_700(realm, make, two):
    """Kills: deleting step 100 matched 1000 and 10000."""
    realm.done(make.record(realm.save_checkpoint(70)), make.record(realm.save_checkpoint(700)))
    realm.done(make.drop(two), make.purge(7))
    left = sorted(path.name for path in folder(realm, make, 7).parent.iterdir())
    assert left == ["checkpoint-70", "checkpoint-700", "checkpoint-9"]


def test_what_changed_since_the_plan_is_not_dropped(realm, make, two):
    (folder(realm, make, 7) / "stray").write_text("mine")
    outcome = realm.fails(make.drop(two))
    assert "it changed since the plan" in outcome.text
    assert folder(realm, make, 7).is_dir()
    assert not realm.view().trash


def test_a_taken_back_checkpoint_is_what_it_was(realm, make, two):
    before = files(folder(realm, make, 7))
    realm.done(make.drop(two))
    realm.ask("undelete", f"{make.campaign}@7")
    assert realm.done(make.take_back(7)) == ["tiny/campaign-001@7 is back, and no rule drops it again"]
    assert files(folder(realm, make, 7)) == before
    assert realm.view().trash[0].state == "restored"


def test_an_approval_is_used_up_for_what_is_taken_back_and_stands_for_the_rest(realm, make, two):
    realm.ask("undelete", f"{make.campaign}@7")
    number = realm.ask("approve", "d")
    taken = a.TakeApproval(request_id=number, digest="d", sequences=(1, 2), specs_commit="c", what="taken")
    realm.done(taken, make.drop(two))
    assert realm.view().approval.sequences == (1, 2)

    realm.done(make.take_back(7))

    assert realm.view().approval.sequences == (2,)


def test_the_line_that_an_undelete_overrules_is_kept_with_the_tombstone_until_it_is_gone(realm, make, two):
    realm.done(make.drop(two))
    realm.ask("undelete", f"{make.campaign}@7")
    [text] = realm.done(msgspec.structs.replace(make.take_back(7), overrules="keep: metrics"))
    assert text.endswith("; keep: metrics counts no more for it while that line stands")
    [stone] = realm.view().trash
    assert stone.overrules == "keep: metrics"
    assert realm.json(realm.layout.root / f"{stone.path}.json")["overrules"] == "keep: metrics"

    assert realm.done(make.forget_undelete(7)) == ["a later keep: metrics counts again"]

    [stone] = realm.view().trash
    assert (stone.state, stone.overrules) == ("restored", None)
    assert realm.json(realm.layout.root / f"{stone.path}.json")["overrules"] is None


def test_a_damaged_one_is_not_taken_back(realm, make, two):
    realm.done(make.drop(two))
    [stone] = realm.view().trash
    weights = realm.layout.root / stone.path / "model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(b"x" * weights.stat().st_size)
    realm.ask("undelete", f"{make.campaign}@7")
    [text] = realm.done(make.take_back(7))
    assert text.startswith("not taken back: ")
    assert text.endswith("it stays in the trash")
    assert realm.view().trash[0].state == "trashed"
    found = next(row for row in realm.view().ledger if row.step == 7)
    assert (found.damage in text, found.healthy) == (True, False)


def test_what_was_purged_cannot_be_taken_back(realm, make, two):
    realm.done(make.drop(two), make.purge(7))
    realm.ask("undelete", f"{make.campaign}@7")
    assert realm.done(make.take_back(7)) == ["tiny/campaign-001@7 is deleted for good"]


def test_an_unknown_checkpoint_cannot_be_taken_back(realm, make):
    realm.ask("undelete", f"{make.campaign}@8")
    assert realm.done(make.take_back(8, sequence=None)) == ["the trash has no tiny/campaign-001@8"]


def test_a_purge_deletes_only_what_its_tombstone_gives_free(realm, make, two):
    outcome = realm.fails(make.purge(7))
    assert "its tombstone does not say that it may be deleted" in outcome.text
    realm.done(make.drop(two))
    realm.ask("undelete", f"{make.campaign}@7")
    realm.done(make.take_back(7))
    assert "does not say that it may be deleted" in realm.fails(make.purge(7)).text
    assert folder(realm, make, 7).is_dir()


def test_what_is_in_no_row_of_the_ledger_is_neither_deleted_nor_taken_back(realm, make, two):
    realm.done(make.drop(two))
    with closing(open_writer(realm.layout.store)) as store:
        store.execute("DELETE FROM ledger WHERE step = 7")
    [stone] = realm.view().trash
    place = realm.layout.root / stone.path
    before = files(place)

    refused = realm.fails(make.purge(7))
    realm.ask("undelete", f"{make.campaign}@7")
    [answer] = realm.done(make.take_back(7))

    assert f"{place}: the ledger has no row of {stone.thing}; nothing of it was deleted" in refused.text
    assert f"not taken back: {make.campaign}: the ledger has no row {stone.sequence} of it" in answer
    assert (files(place), realm.view().trash[0].state) == (before, "trashed")


def test_a_purge_follows_no_link_out_of_the_trash(realm, make, two):
    realm.done(make.drop(two))
    [stone] = realm.view().trash
    place = realm.layout.root / stone.path
    place.rename(realm.layout.root.parent / "elsewhere")
    place.symlink_to(realm.layout.root.parent / "elsewhere")
    assert "is no folder of the trash" in realm.fails(make.purge(7)).text
    assert (realm.layout.root.parent / "elsewhere" / "model.safetensors").exists()


def _note(place, outside):
    (place / "mine.txt").write_text("mine")


def _folder(place, outside):
    (place / "sub").mkdir()


def _link(place, outside):
    (place / "out").symlink_to(outside)


def _no_manifest(place, outside):
    (place / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("put", "name"),
    [(_note, "mine.txt"), (_folder, "sub"), (_link, "out"), (_no_manifest, ".ledger.json")],
)
def test_what_is_put_into_a_dropped_checkpoint_holds_its_purge(realm, make, two, put, name):
    realm.done(make.drop(two))
    [stone] = realm.view().trash
    place = realm.layout.root / stone.path
    outside = realm.layout.root.parent / "outside"
    outside.mkdir()
    (outside / "precious").write_text("p")
    put(place, outside)
    before = sorted(path.name for path in place.iterdir())

    text = realm.fails(make.purge(7)).text

    assert f"{place} holds what is not ours: {name}" in text
    assert sorted(path.name for path in place.iterdir()) == before
    assert (outside / "precious").exists()
    assert realm.view().trash[0].state == "trashed"


def test_one_that_somebody_put_back_by_hand_is_left_there(realm, make, two):
    import shutil

    realm.done(make.drop(two))
    [stone] = realm.view().trash
    shutil.copytree(realm.layout.root / stone.path, folder(realm, make, 7))
    assert realm.done(make.drop(two)) == ["it lies in its place again: somebody put it back"]
    assert realm.view().trash[0].state == "restored"

    place = realm.layout.root / stone.path
    assert f"{place} has the place of tiny/campaign-001@7 in the trash" in realm.fails(make.drop(two)).text
    assert (realm.view().trash[0].state, folder(realm, make, 7).is_dir()) == ("restored", True)

    place.rename(realm.layout.root / "elsewhere")
    realm.done(make.drop(two))
    assert (realm.view().trash[0].state, folder(realm, make, 7).exists()) == ("trashed", False)


def test_one_that_somebody_put_back_by_hand_and_is_not_whole_ends_no_drop(realm, make, two):
    import shutil

    realm.done(make.drop(two))
    [stone] = realm.view().trash
    shutil.copytree(realm.layout.root / stone.path, folder(realm, make, 7))
    realm.flip_a_bit(7)

    text = realm.fails(make.drop(two)).text

    assert "lies in trash/" in text
    assert "what was put in its place is not whole: model.safetensors" in text
    assert "reconcile undelete tiny/campaign-001@7 takes it back" in text
    assert (realm.view().trash[0].state, (realm.layout.root / stone.path).is_dir()) == ("trashed", True)


def index(realm, make):
    """What checkpoint_ledger.json says of each step, and how many it counts."""
    said = json.loads(realm.layout.campaign(make.campaign).checkpoint_index.read_bytes())
    records = said["checkpoints"].items()
    return {step: (one["path"] is not None, one["state"]) for step, one in records}, said["checkpoint_count"]


def test_the_ledger_file_says_what_is_there_after_a_drop_a_taking_back_and_a_purge(realm, make, two):
    """The wrong turn: 763 listed, 98 on disk."""
    assert index(realm, make) == ({"7": (True, "complete"), "9": (True, "complete")}, 2)
    realm.done(make.drop(two))
    assert index(realm, make) == ({"7": (False, "trashed"), "9": (True, "complete")}, 1)
    realm.ask("undelete", f"{make.campaign}@7")
    realm.done(make.take_back(7))
    assert index(realm, make) == ({"7": (True, "complete"), "9": (True, "complete")}, 2)
    realm.done(make.drop(two), make.purge(7))
    assert index(realm, make) == ({"7": (False, "purged"), "9": (True, "complete")}, 1)


def test_a_checkpoint_of_a_campaign_that_was_archived_meanwhile_comes_back_to_where_the_campaign_lies(
    realm, make, two
):
    before = files(folder(realm, make, 7))
    realm.done(make.drop(two), make.activate(make.other, make.campaign), make.archive())
    realm.ask("undelete", f"{make.campaign}@7")
    realm.done(make.take_back(7))
    legend = realm.layout.campaign(make.campaign, archived=True)
    assert files(legend.checkpoint(7)).keys() == before.keys()
    assert files(legend.checkpoint(7))["model.safetensors"] == before["model.safetensors"]
    assert not realm.layout.campaign(make.campaign).folder.exists()
    assert realm.view().trash[0].state == "restored"
    said = json.loads(legend.checkpoint_index.read_bytes())
    assert {step: one["state"] for step, one in said["checkpoints"].items()} == {
        "7": "complete",
        "9": "complete",
    }


def test_a_checkpoint_is_taken_back_while_a_trainer_lives_and_the_trainer_is_left_alone(realm, make, two):
    realm.done(make.drop(two))
    realm.start_trainer()
    realm.ask("undelete", f"{make.campaign}@7")
    before = folder(realm, make, 9).stat().st_ino
    assert realm.done(make.take_back(7)) == ["tiny/campaign-001@7 is back, and no rule drops it again"]
    assert folder(realm, make, 7).is_dir()
    assert folder(realm, make, 9).stat().st_ino == before
    (run,) = realm.view().runs
    assert (run.state in ("launching", "running"), run.end) == (True, None)
    assert realm.done(make.stop()) == ["saved checkpoint-9"]
