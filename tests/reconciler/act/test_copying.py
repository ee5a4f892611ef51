"""A copy elsewhere counts once it was read back there; a damaged checkpoint is made whole again from it."""

import errno
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from copies_words import contents, manifest_of, names, place_of

from reconciler.act import copying, read_back
from reconciler.act.leftovers import staging_name
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.plan import actions as a
from reconciler.plan.copies.places import copy_place
from state import atomic
from state.contract.manifest import Manifest
from state.store import requests
from state.store.connection import open_writer
from state.store.rows import ExportWish

NOW = "2026-01-31T12:00:00Z"


def test_a_copy_has_every_byte_and_is_remembered_with_its_digest(saved: Any, make: Any) -> None:
    manifest = manifest_of(saved, make)

    saved.done(make.copy_out(saved, manifest))

    home = saved.layout.campaign(make.campaign).checkpoint(20)
    assert contents(place_of(saved, make)) == contents(home)
    (copy,) = saved.view().copies
    assert (copy.sequence, copy.path, copy.digest) == (1, str(place_of(saved, make)), manifest.digest)
    assert (copy.kind, copy.made_at, copy.checked_at, copy.damage) == ("export", NOW, NOW, None)
    assert {oct(path.stat().st_mode)[-3:] for path in place_of(saved, make).iterdir()} == {"400"}


def test_a_copy_shares_no_bytes_with_what_it_is_of(saved: Any, make: Any) -> None:
    """Else one damaged block would damage both."""
    saved.done(make.copy_out(saved, manifest_of(saved, make)))

    home = saved.layout.campaign(make.campaign).checkpoint(20) / "model.safetensors"
    assert home.stat().st_ino != (place_of(saved, make) / "model.safetensors").stat().st_ino


def test_a_second_copy_of_the_same_is_the_first_one_after_a_look_at_every_byte(saved: Any, make: Any) -> None:
    action = make.copy_out(saved, manifest_of(saved, make))
    saved.done(action)
    before = place_of(saved, make).stat().st_ino

    saved.done(action)

    assert place_of(saved, make).stat().st_ino == before


def test_what_lies_in_the_way_is_left_untouched(saved: Any, make: Any) -> None:
    place = place_of(saved, make)
    place.mkdir(parents=True)
    (place / "mine").write_text("mine")

    outcome = saved.fails(make.copy_out(saved, manifest_of(saved, make)))

    assert outcome.permanent
    assert "checkpoint-20 is in the way: its manifest is not that of" in outcome.text
    assert contents(place) == {"mine": b"mine"}


def test_a_damaged_checkpoint_is_not_copied_and_is_a_finding(saved: Any, make: Any) -> None:
    saved.flip_a_bit(20)

    outcome = saved.fails(make.copy_out(saved, manifest_of(saved, make)))

    assert "is damaged: model.safetensors has BLAKE3" in outcome.text
    assert saved.view().ledger[0].damage is not None
    assert names(place_of(saved, make).parent) == []


def test_a_disk_that_keeps_other_bytes_gives_no_copy(
    saved: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_back, "hash_file", lambda _path: (63, "0" * 64))

    outcome = saved.fails(make.copy_out(saved, manifest_of(saved, make)))

    assert "the disk did not keep what was written" in outcome.text
    assert (saved.view().copies, names(place_of(saved, make).parent)) == ((), [])


@pytest.mark.parametrize(
    ("to", "told"),
    [
        (lambda realm: realm.layout.root / "campaigns", "lies in the realm's root"),
        (lambda realm: realm.layout.root.parent / "nowhere", "is no folder: make it, or mount the disk"),
    ],
)
def test_a_place_that_is_none_for_a_copy_is_refused(saved: Any, make: Any, to: Any, told: str) -> None:
    outcome = saved.fails(make.copy_out(saved, manifest_of(saved, make), to=str(to(saved))))

    assert outcome.permanent
    assert told in outcome.text


def test_a_second_copy_on_the_disk_of_the_root_is_refused(saved: Any, make: Any) -> None:
    outcome = saved.fails(make.copy_out(saved, manifest_of(saved, make), kind="copy"))

    assert "is on the same file system as the root" in outcome.text


def test_a_copy_is_left_off_when_a_person_asks_for_something_and_goes_on_after(
    saved: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    action, copied = make.copy_out(saved, manifest_of(saved, make)), []
    whole = copying.copy_hashed

    def one_then_asked(source: int, target: Path, is_over: Any = None) -> Any:
        copied.append(target.name)
        return whole(source, target, lambda: is_over is not None and len(copied) == 2)

    monkeypatch.setattr(copying, "copy_hashed", one_then_asked)
    assert "left off, because a person asked" in saved.done(action)[0]
    assert (saved.view().copies, copied) == ((), ["model.safetensors", "optimizer.safetensors"])

    copied[:] = ["not", "again", "left off"]
    saved.done(action)

    assert copied[3:] == ["optimizer.safetensors", "manifest.json"]
    assert len(saved.view().copies) == 1


def test_a_copy_to_another_file_system_is_read_back_there(saved: Any, make: Any, tmp_path: Path) -> None:
    if tmp_path.stat().st_dev == saved.layout.root.stat().st_dev:
        pytest.skip(
            "there is no second file system here: the root of this test lies on that of the temporary folder"
        )

    saved.done(make.copy_out(saved, manifest_of(saved, make), to=str(tmp_path), kind="copy"))

    found = observe_checkpoints(tmp_path / make.campaign, tmp_path)
    assert [one.digest for one in found.complete] == [manifest_of(saved, make).digest]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS])
def test_a_file_system_without_a_rename_that_refuses_to_replace_is_looked_at_first(
    saved: Any, make: Any, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As network file systems and older FUSE ones are."""

    class NoSuchRename:
        def renameat2(self, *_: object) -> int:
            return -1

    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: NoSuchRename())
    monkeypatch.setattr("ctypes.get_errno", lambda: number)
    saved.done(make.copy_out(saved, manifest_of(saved, make)))
    other = make.copy_out(saved, manifest_of(saved, make, 40), sequence=2)
    (place_of(saved, make, 40)).mkdir()

    assert "is in the way" in saved.fails(other).text
    assert len(saved.view().copies) == 1


def test_a_move_between_file_systems_is_refused_and_leaves_both_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.mkdir()

    class OtherDisk:
        def renameat2(self, *_: object) -> int:
            return -1

    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: OtherDisk())
    monkeypatch.setattr("ctypes.get_errno", lambda: errno.EXDEV)

    with pytest.raises(OSError, match=os.strerror(errno.EXDEV)):
        atomic.move_folder(source, target)
    assert (source.exists(), target.exists()) == (True, False)


def left(realm: Any, make: Any, manifest: Manifest) -> Path:
    """Leave what a kill in the middle of a copy leaves; return its folder."""
    folder = place_of(realm, make).parent / staging_name(manifest.step, manifest.digest)
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"half")
    return folder


def test_what_a_killed_copy_left_goes_once_its_checkpoint_is_gone(saved: Any, make: Any) -> None:
    gone, going_on = manifest_of(saved, make, 40), manifest_of(saved, make)
    leftover = left(saved, make, gone)
    strange = leftover.with_name(".staging-40-0123456789ab")
    strange.mkdir()
    saved.done(make.drop(gone, 2))

    saved.done(make.copy_out(saved, going_on))

    assert not leftover.exists()
    assert strange.is_dir()
    assert place_of(saved, make).is_dir()


def test_what_a_killed_copy_left_stays_while_it_can_be_gone_on_with(saved: Any, make: Any) -> None:
    leftover = left(saved, make, manifest_of(saved, make, 40))

    saved.done(make.copy_out(saved, manifest_of(saved, make)))

    assert names(leftover) == ["model.safetensors"]
    saved.done(make.copy_out(saved, manifest_of(saved, make, 40), sequence=2))
    assert names(leftover.parent) == ["checkpoint-20", "checkpoint-40"]


def test_after_an_export_whose_checkpoint_is_gone_nothing_of_it_is_left(saved: Any, make: Any) -> None:
    leftover = left(saved, make, manifest_of(saved, make))
    details = msgspec.json.encode(ExportWish(to=str(make.elsewhere(saved)))).decode()
    store = open_writer(saved.layout.store)
    given = {"campaign": f"{make.campaign}@20", "by": "kim", "why": "", "at": NOW, "details_json": details}
    number = requests.ask(store, kind="export", **given)
    store.close()
    saved.done(make.drop(manifest_of(saved, make)))

    saved.done(a.AnswerRequest(request_id=number, what="export", answer="nothing of it lies there"))

    assert not leftover.exists()


def test_a_copy_that_is_damaged_later_is_a_finding_of_a_scrub(saved: Any, make: Any) -> None:
    manifest = manifest_of(saved, make)
    saved.done(make.copy_out(saved, manifest))
    (place_of(saved, make) / "model.safetensors").unlink()
    scrub = make.read_again(saved, 20)
    reading = msgspec.structs.replace(scrub.readings[0], place="copy", path=str(place_of(saved, make)))

    saved.done(msgspec.structs.replace(scrub, readings=(reading,)))

    assert [copy.damage for copy in saved.view().copies] == ["model.safetensors is missing"]
    assert saved.view().ledger[0].damage is None


def test_every_copy_has_a_place_of_its_own() -> None:
    assert copy_place("/mnt/a/", "pip/one", None, 20) == "/mnt/a/pip/one/checkpoint-20"
    assert copy_place("/mnt/a", "pip/one", 2, 20) == "/mnt/a/pip/one/segments/2/checkpoint-20"
