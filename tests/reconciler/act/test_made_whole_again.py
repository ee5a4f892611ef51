"""A damaged checkpoint is made whole again from its copies, what was deleted comes back from one, and a damaged copy is made again."""

import errno
from typing import Any

import msgspec
import pytest
from copies_words import contents, manifest_of, names, place_of

from reconciler.act import copying
from state.contract.manifest import Manifest
from state.ids import damaged_folder

NOW = "2026-01-31T12:00:00Z"


@pytest.fixture
def broken(saved: Any, make: Any) -> Manifest:
    """Checkpoint 20 was exported; then a bit flipped, which a scrub found, and it was set aside."""
    manifest = manifest_of(saved, make)
    saved.done(make.copy_out(saved, manifest))
    saved.flip_a_bit(20)
    saved.done(make.read_again(saved, 20), make.set_aside(manifest))
    return manifest


def test_a_damaged_checkpoint_is_whole_again_and_what_was_damaged_stays_aside(
    saved: Any, make: Any, broken: Manifest
) -> None:
    saved.done(make.mend(saved, broken))

    home = saved.layout.campaign(make.campaign).checkpoint(20)
    row = saved.view().ledger[0]
    assert contents(home) == contents(place_of(saved, make))
    assert (row.damage, row.healthy, row.verified_at) == (None, True, NOW)
    assert len(list(home.parent.glob(".damaged-20-*"))) == 1
    assert (home / ".ledger.json").exists()


def test_each_file_comes_from_wherever_it_is_right(saved: Any, make: Any, broken: Manifest) -> None:
    """The copy has lost the file that is right in what was set aside."""
    (place_of(saved, make) / "optimizer.safetensors").unlink()

    saved.done(make.mend(saved, broken))

    assert saved.view().ledger[0].damage is None


def test_what_no_copy_has_right_stays_damaged_and_nothing_half_done_is_left(
    saved: Any, make: Any, broken: Manifest
) -> None:
    weights = place_of(saved, make) / "model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(b"x" * weights.stat().st_size)

    outcome = saved.fails(make.mend(saved, broken))

    assert outcome.permanent
    assert "no copy has model.safetensors as it was saved; looked at" in outcome.text
    checkpoints = saved.layout.campaign(make.campaign).checkpoints
    assert not [name for name in names(checkpoints) if name.startswith(".staging")]
    assert not (checkpoints / "checkpoint-20").exists()


def test_a_checkpoint_that_somebody_put_back_whole_is_believed_after_a_look(
    saved: Any, make: Any, broken: Manifest
) -> None:
    checkpoints = saved.layout.campaign(make.campaign).checkpoints
    (aside,) = checkpoints.glob(".damaged-20-*")
    aside.rename(checkpoints / "checkpoint-20")
    assert "is damaged: model.safetensors has" in saved.fails(make.mend(saved, broken)).text
    saved.flip_a_bit(20)

    saved.done(make.mend(saved, broken))

    assert saved.view().ledger[0].damage is None


def test_what_was_deleted_for_good_comes_back_from_a_copy_and_no_rule_drops_it(saved: Any, make: Any) -> None:
    manifest = manifest_of(saved, make)
    before = contents(saved.layout.campaign(make.campaign).checkpoint(20))
    saved.done(make.copy_out(saved, manifest), make.drop(manifest), make.purge(20))
    saved.ask("undelete", f"{make.campaign}@20")
    home = saved.layout.campaign(make.campaign).checkpoint(20)
    assert not home.exists()

    sources = (str(place_of(saved, make)),)
    (said,) = saved.done(msgspec.structs.replace(make.take_back(20), sources=sources))

    assert said == f"{make.campaign}@20 is back, and no rule drops it again"
    assert contents(home) == before
    assert [stone.state for stone in saved.view().trash] == ["restored"]


def test_a_copy_that_is_not_right_brings_nothing_back_and_who_asked_is_told(saved: Any, make: Any) -> None:
    manifest = manifest_of(saved, make)
    saved.done(make.copy_out(saved, manifest), make.drop(manifest), make.purge(20))
    saved.ask("undelete", f"{make.campaign}@20")
    (place_of(saved, make) / "model.safetensors").unlink()

    sources = (str(place_of(saved, make)),)
    (said,) = saved.done(msgspec.structs.replace(make.take_back(20), sources=sources))

    assert said.startswith("not brought back: no copy has model.safetensors as it was saved")
    assert not saved.layout.campaign(make.campaign).checkpoint(20).exists()
    assert [stone.state for stone in saved.view().trash] == ["purged"]


@pytest.fixture
def copied(saved: Any, make: Any) -> Manifest:
    """Checkpoint 20 was copied as the rules want it; then a file of the copy was lost, which a scrub found."""
    manifest = manifest_of(saved, make)
    saved.done(make.copy_out(saved, manifest, kind="archive"))
    (place_of(saved, make) / "model.safetensors").unlink()
    return manifest


def test_a_damaged_copy_is_made_again_in_its_place_and_what_was_damaged_is_kept(
    saved: Any, make: Any, copied: Manifest
) -> None:
    damaged = contents(place_of(saved, make))

    (said,) = saved.done(make.copy_out(saved, copied, kind="archive"))

    aside = damaged_folder(20, copied.digest)
    assert said.endswith(f"read back and as saved; what was damaged is kept as {aside}")
    assert contents(place_of(saved, make).with_name(aside)) == damaged
    home = saved.layout.campaign(make.campaign).checkpoint(20)
    assert contents(place_of(saved, make)) == contents(home)
    assert [copy.damage for copy in saved.view().copies] == [None]


def test_a_damaged_copy_stays_where_it_is_until_the_new_one_was_read_back(
    saved: Any, make: Any, copied: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = contents(place_of(saved, make))
    monkeypatch.setattr(copying, "check_written", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "bad")))

    saved.fails(make.copy_out(saved, copied, kind="archive"))

    assert contents(place_of(saved, make)) == damaged
    assert names(place_of(saved, make).parent) == ["checkpoint-20"]


def test_what_a_person_exported_and_changed_is_not_replaced(saved: Any, make: Any) -> None:
    manifest = manifest_of(saved, make)
    saved.done(make.copy_out(saved, manifest))
    (place_of(saved, make) / "model.safetensors").unlink()

    outcome = saved.fails(make.copy_out(saved, manifest))

    assert "is in the way: model.safetensors is missing; it was left untouched" in outcome.text


def test_a_folder_that_is_no_copy_of_ours_is_never_replaced(saved: Any, make: Any) -> None:
    place_of(saved, make).mkdir(parents=True)

    outcome = saved.fails(make.copy_out(saved, manifest_of(saved, make), kind="archive"))

    assert outcome.permanent
    assert "it was left untouched, move it away" in outcome.text
