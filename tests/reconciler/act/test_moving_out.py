"""A checkpoint of an archived campaign moves elsewhere, and back: its copy is looked at before anything goes."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kill_worlds import archived_and_exported, archived_manifest, exported, exported_manifest, moved_out

from reconciler.act import moving_out
from state.contract.manifest import Manifest

LATER = "2026-02-07T12:00:00Z"


@pytest.fixture
def archived(realm: Any, make: Any) -> Any:
    """Checkpoints 7 and 9 lie in the archive, and the first was copied elsewhere."""
    archived_and_exported(realm, make)
    return realm


@pytest.fixture
def away(realm: Any, make: Any) -> Any:
    """The first was moved out of the root, and lies in the trash."""
    moved_out(realm, make)
    return realm


def home(realm: Any, make: Any) -> Path:
    return realm.layout.campaign(make.campaign, archived=True).checkpoint(7)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".ledger.json"}


def manifest(realm: Any, make: Any) -> Manifest:
    return exported_manifest(realm, make)


def spoil(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def unmounted(copy: Path) -> Path:
    """Take the disk of a copy away; return where it is now."""
    disk = copy.parent.parent.parent
    return disk.rename(disk.with_name("unmounted"))


def test_what_is_moved_out_lies_in_the_trash_with_a_tombstone_that_says_so(archived: Any, make: Any) -> None:
    before = contents(home(archived, make))

    (said,) = archived.done(make.move_out(archived, archived_manifest(archived)))

    (stone,) = archived.view().trash
    assert (stone.kind, stone.state, stone.is_moved) == ("moved", "trashed", True)
    assert not home(archived, make).exists()
    assert contents(archived.layout.root / stone.path) == before == contents(exported(archived, make))
    assert said == f"it lies in {exported(archived, make)}; the one here is in the trash"


@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        (lambda copy: (copy / "optimizer.safetensors").unlink(), "optimizer.safetensors is missing"),
        (lambda copy: spoil(copy / "optimizer.safetensors", b"torn"), "optimizer.safetensors has 4 bytes"),
        (lambda copy: spoil(copy / "manifest.json", b"{}"), "manifest.json"),
    ],
    ids=["a file gone", "a file cut short", "a manifest that is none"],
)
def test_nothing_goes_where_its_copy_is_not_as_it_was(
    archived: Any, make: Any, spoiled: Any, told: str
) -> None:
    manifest = archived_manifest(archived)
    spoiled(exported(archived, make))

    outcome = archived.fails(make.move_out(archived, manifest))

    assert "is not as it was" in outcome.text
    assert told in outcome.text
    assert home(archived, make).is_dir()
    assert archived.view().trash == ()
    assert archived.view().copies[0].damage is not None


def test_a_copy_of_before_the_archive_is_read_whole_once_more(archived: Any, make: Any) -> None:
    """Its sizes are right, and a bit of it flipped since it was made."""
    manifest = archived_manifest(archived)
    weights = exported(archived, make) / "model.safetensors"
    spoil(weights, b"x" * weights.stat().st_size)
    _archived_at(archived, make, LATER)

    outcome = archived.fails(make.move_out(archived, manifest))

    assert "model.safetensors has 63 bytes and BLAKE3" in outcome.text
    assert home(archived, make).is_dir()


def _archived_at(realm: Any, make: Any, moment: str) -> None:
    """Let the campaign have been archived after its copy was made."""
    realm.done(make.restore())
    realm.done(make.archive(), now=lambda: moment)


def test_a_copy_out_of_reach_lets_nothing_go_and_is_not_called_damaged(archived: Any, make: Any) -> None:
    copy = exported(archived, make)
    action = make.move_out(archived, archived_manifest(archived))
    unmounted(copy)

    outcome = archived.fails(action)

    assert not outcome.permanent
    assert f"its copy is out of reach: {copy.parent} is not there: is its disk mounted?" in outcome.text
    assert home(archived, make).is_dir()
    assert archived.view().copies[0].damage is None


def test_a_copy_that_the_store_does_not_know_stands_for_nothing(archived: Any, make: Any) -> None:
    action = make.move_out(archived, archived_manifest(archived), copies=("/somewhere/else",))

    assert "a copy of it is not known any more" in archived.fails(action).text
    assert home(archived, make).is_dir()


@pytest.mark.parametrize("fault", ["its disk away", "a file of it cut short", "other bytes in it"])
def test_the_last_one_here_is_not_deleted_while_no_whole_copy_is_in_sight(
    away: Any, make: Any, fault: str
) -> None:
    weights = exported(away, make) / "model.safetensors"
    if fault == "its disk away":
        unmounted(weights.parent)
    else:
        spoil(weights, b"torn" if "short" in fault else b"x" * weights.stat().st_size)

    outcome = away.fails(make.purge(7), now=lambda: LATER)

    assert "tiny/campaign-001@7 stays in the trash: its copy" in outcome.text
    (stone,) = away.view().trash
    assert (stone.state, (away.layout.root / stone.path).is_dir()) == ("trashed", True)


def test_what_was_moved_out_comes_back_out_of_the_trash(away: Any, make: Any) -> None:
    (stone,) = away.view().trash
    before = contents(away.layout.root / stone.path)

    away.done(make.bring_back(away, manifest(away, make)))

    (stone,) = away.view().trash
    assert (stone.kind, stone.state) == ("moved", "restored")
    assert contents(home(away, make)) == before
    assert not (away.layout.root / stone.path).exists()
    assert contents(exported(away, make)) == before


def test_what_was_deleted_here_comes_back_from_its_copy_byte_by_byte(away: Any, make: Any) -> None:
    before = contents(exported(away, make))
    away.done(make.purge(7))

    away.done(make.bring_back(away, manifest(away, make)))

    assert contents(home(away, make)) == before
    assert [stone.state for stone in away.view().trash] == ["restored"]
    assert away.view().ledger[0].damage is None


def test_what_is_damaged_in_the_trash_comes_from_its_copy(away: Any, make: Any) -> None:
    before, (stone,) = contents(exported(away, make)), away.view().trash
    spoil(away.layout.root / stone.path / "model.safetensors", b"torn")

    away.done(make.bring_back(away, manifest(away, make)))

    assert contents(home(away, make)) == before


def test_a_copy_out_of_reach_is_told_as_that_and_never_as_lost(away: Any, make: Any) -> None:
    action = make.bring_back(away, manifest(away, make))
    away.done(make.purge(7))
    copy = exported(away, make)
    disk = unmounted(copy)

    outcome = away.fails(action)

    assert not outcome.permanent
    assert "its copy is out of reach, and not lost" in outcome.text
    disk.rename(disk.with_name("elsewhere"))
    away.done(action)
    assert home(away, make).is_dir()


def test_a_copy_that_is_damaged_brings_nothing_back(away: Any, make: Any) -> None:
    action = make.bring_back(away, manifest(away, make))
    away.done(make.purge(7))
    spoil(exported(away, make) / "model.safetensors", b"torn")

    outcome = away.fails(action)

    assert outcome.permanent
    assert "no copy has model.safetensors as it was saved" in outcome.text
    assert not home(away, make).exists()
    (copy,) = away.view().copies
    assert "model.safetensors" in (copy.damage or "")


def test_what_lies_in_its_place_meanwhile_is_left_untouched(away: Any, make: Any) -> None:
    home(away, make).mkdir()
    shutil.copyfile(exported(away, make) / "manifest.json", home(away, make) / "manifest.json")

    assert "is taken" in away.fails(make.bring_back(away, manifest(away, make))).text
    assert [path.name for path in home(away, make).iterdir()] == ["manifest.json"]


def test_without_room_for_it_nothing_is_begun(away: Any, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    away.done(make.purge(7))
    full = type("Full", (), {"f_bavail": 0, "f_frsize": 4096})
    monkeypatch.setattr(moving_out.os, "statvfs", lambda _path: full)

    outcome = away.fails(make.bring_back(away, manifest(away, make)))

    assert "the root's disk has 0 B left, 68 B are needed" in outcome.text


def test_what_a_person_takes_back_stays_and_is_not_moved_out_again(away: Any, make: Any) -> None:
    away.ask("undelete", f"{make.campaign}@7")

    away.done(make.take_back(7))

    (stone,) = away.view().trash
    assert (stone.kind, stone.state) == ("asked", "restored")


def test_what_was_never_moved_out_is_not_brought_back(archived: Any, make: Any) -> None:
    outcome = archived.fails(make.bring_back(archived, archived_manifest(archived)))

    assert "was not moved out of the root" in outcome.text


def test_a_checkpoint_whose_tombstone_was_written_before_a_kill_goes_on(archived: Any, make: Any) -> None:
    action = make.move_out(archived, archived_manifest(archived))
    archived.done(action)
    (stone,) = archived.view().trash
    (archived.layout.root / stone.path).rename(home(archived, make))

    archived.done(action)

    assert (archived.layout.root / stone.path).is_dir()
    assert msgspec.json.decode((archived.layout.root / f"{stone.path}.json").read_bytes())["kind"] == "moved"


def elsewhere_again(realm: Any, make: Any) -> Any:
    """Return what makes a second copy, on another disk, of the first one."""
    usb = realm.layout.root.parent / "usb"
    usb.mkdir(exist_ok=True)
    return make.copy_out(
        realm, manifest(realm, make), to=str(usb), kind="archive", sources=(str(exported(realm, make)),)
    )


def test_a_copy_of_what_was_moved_out_is_made_from_another_copy(away: Any, make: Any) -> None:
    away.done(make.purge(7))
    action = elsewhere_again(away, make)

    away.done(action)

    place = Path(action.to) / make.campaign / "checkpoint-7"
    assert contents(place) == contents(exported(away, make))
    assert sorted(copy.path for copy in away.view().copies) == sorted([str(exported(away, make)), str(place)])
    assert [copy.damage for copy in away.view().copies] == [None, None]


@pytest.mark.parametrize(
    "content", [b"torn", b"x" * 63], ids=["a file cut short", "other bytes of the same length"]
)
def test_a_copy_that_proves_damaged_gives_no_other_and_is_a_finding(
    away: Any, make: Any, content: bytes
) -> None:
    away.done(make.purge(7))
    action = elsewhere_again(away, make)
    spoil(exported(away, make) / "model.safetensors", content)

    outcome = away.fails(action)

    assert not outcome.permanent
    assert "model.safetensors has" in outcome.text
    assert not (Path(action.to) / make.campaign / "checkpoint-7").exists()
    assert [copy.damage is not None for copy in away.view().copies] == [True]
    assert away.view().ledger[0].damage is None


def test_a_copy_out_of_reach_gives_no_other_and_is_not_called_damaged(away: Any, make: Any) -> None:
    away.done(make.purge(7))
    action = elsewhere_again(away, make)
    unmounted(exported(away, make))

    outcome = away.fails(action)

    assert outcome.permanent
    assert "what it would be copied from is out of reach, and not lost" in outcome.text
    assert [copy.damage for copy in away.view().copies] == [None]
