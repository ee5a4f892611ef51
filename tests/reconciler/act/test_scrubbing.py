"""Checkpoints are read again in short turns: what is right is dated, what is not is a finding in the ledger."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.act import scrubbing
from reconciler.act.rereading import Reader
from state import rereading
from state.contract.files import read
from state.contract.manifest import Manifest

LATER = "2026-02-07T12:00:00Z"


@pytest.fixture
def saved(realm: Any, make: Any) -> Any:
    """Checkpoints 20 and 40 are recorded."""
    realm.done(*(make.record(realm.save_checkpoint(step)) for step in (20, 40)))
    return realm


def found(realm: Any) -> dict[int, tuple[str | None, str | None]]:
    return {row.step: (row.verified_at, row.damage) for row in realm.view().ledger}


def weights(realm: Any, make: Any, step: int) -> Path:
    return realm.layout.campaign(make.campaign).checkpoint(step) / "model.safetensors"


def test_what_is_as_it_was_saved_is_dated(saved: Any, make: Any) -> None:
    saved.done(make.read_again(saved, 20), now=lambda: LATER)

    assert found(saved) == {20: (LATER, None), 40: (None, None)}


def test_a_flipped_bit_is_a_finding_and_the_others_are_read_all_the_same(saved: Any, make: Any) -> None:
    saved.flip_a_bit(20)

    (said,) = saved.done(make.read_again(saved, 20, 40), now=lambda: LATER)

    (_, damage), whole = found(saved)[20], found(saved)[40]
    assert damage is not None
    assert damage.startswith("model.safetensors has BLAKE3")
    assert whole == (LATER, None)
    assert f"{make.campaign}@20 in campaigns/{make.campaign}/checkpoints/checkpoint-20: {damage}" in said
    assert not saved.view().ledger[0].healthy
    record = saved.json(saved.layout.campaign(make.campaign).folder / "status/checkpoint_ledger.json")
    assert "damaged" in str(record) or "missing" in str(record) or damage in str(record)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda path: path.unlink(), "model.safetensors is missing"),
        (
            lambda path: (path.unlink(), path.symlink_to("optimizer.safetensors")),
            "model.safetensors is a symbolic",
        ),
        (lambda path: (path.unlink(), os.mkfifo(path)), "model.safetensors is not a plain file"),
        (lambda path: os.truncate(path, 5), "model.safetensors has BLAKE3"),
    ],
    ids=["file gone", "a link in its place", "a pipe in its place", "cut off"],
)
def test_whatever_is_wrong_with_a_file_is_a_finding(saved: Any, make: Any, spoil: Any, expected: str) -> None:
    path = weights(saved, make, 20)
    path.chmod(0o600)
    spoil(path)

    saved.done(make.read_again(saved, 20))

    assert str(found(saved)[20][1]).startswith(expected)


def test_a_manifest_that_lies_is_a_finding(saved: Any, make: Any) -> None:
    path = weights(saved, make, 20).with_name("manifest.json")
    path.write_bytes(path.read_bytes().replace(b'"step":20', b'"step":21'))

    saved.done(make.read_again(saved, 20))

    assert "its manifest has digest blake3:" in str(found(saved)[20][1])


def test_what_lies_in_the_trash_is_read_too(saved: Any, make: Any) -> None:
    manifest = msgspec.json.decode((weights(saved, make, 20).with_name("manifest.json")).read_bytes())
    saved.done(make.drop(msgspec.convert(manifest, type=type(saved.save_checkpoint(60)))))

    saved.done(make.read_again(saved, 20), now=lambda: LATER)

    assert found(saved)[20] == (LATER, None)


def test_a_checkpoint_that_somebody_may_not_read_is_no_finding(saved: Any, make: Any) -> None:
    class Forbidden(Reader):
        def open(self, *_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", "checkpoint-20")

    outcome = saved.fails(make.read_again(saved, 20), reader=Forbidden())

    assert "Permission denied" in outcome.text
    assert found(saved)[20] == (None, None)


@pytest.mark.parametrize("name", ["model.safetensors", "manifest.json"])
def test_what_could_not_be_read_is_read_the_next_time(
    saved: Any, make: Any, unreadable: Callable[[Path], None], name: str
) -> None:
    reader, path = Reader(), weights(saved, make, 20).with_name(name)
    saved.flip_a_bit(20)
    unreadable(path)

    outcome = saved.fails(make.read_again(saved, 20), reader=reader)

    assert "Permission denied" in outcome.text
    assert found(saved)[20] == (None, None)
    path.chmod(0o600)
    saved.done(make.read_again(saved, 20), reader=reader)
    assert str(found(saved)[20][1]).startswith("model.safetensors has BLAKE3")


def test_what_lay_in_memory_is_told_of_the_turn_that_read_it(saved: Any, make: Any) -> None:
    reader = Reader()
    reader.from_memory = "an-earlier-file"

    (said,) = saved.done(make.read_again(saved), reader=reader)

    assert said == "0 checkpoints, 0 B read"


def test_a_turn_that_a_person_cuts_short_goes_on_where_it_was(
    saved: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "BLOCK_BYTES", 16)
    reader, asked = Reader(), iter([False, False, False, True, True, True, True])
    monkeypatch.setattr(scrubbing._Turn, "is_over", lambda _turn: next(asked, False))

    saved.done(make.read_again(saved, 20), reader=reader)

    position = saved.view().scrub
    assert found(saved)[20] == (None, None)
    assert position is not None
    assert position.read_bytes == 48
    monkeypatch.setattr(scrubbing._Turn, "is_over", lambda _turn: False)
    (said,) = saved.done(make.read_again(saved, 20, read_bytes=48), reader=reader, now=lambda: LATER)
    assert said.startswith("1 checkpoint, 20 B read")  # 68 bytes in all
    assert (found(saved)[20], saved.view().scrub) == ((LATER, None), None)


def test_after_a_restart_only_the_file_that_was_half_read_is_read_anew(
    saved: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (said,) = saved.done(make.read_again(saved, 20, read_bytes=65))

    assert said.startswith("1 checkpoint, 5 B read")
    assert found(saved)[20][0] is not None


def test_no_more_is_read_in_a_second_than_allowed(
    saved: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is asked for, not measured."""
    moments = iter(range(10_000))
    naps: list[float] = []
    clock = type("Clock", (), {"monotonic": lambda: next(moments) * 0.01, "sleep": naps.append})
    monkeypatch.setattr(scrubbing, "time", clock)

    saved.done(make.read_again(saved, 20, rate_bytes=68))

    assert sum(naps) > 0.5
    assert max(naps) <= scrubbing._NAP_SECONDS


def test_the_date_is_never_before_the_moment_that_was_asked_for(saved: Any, make: Any) -> None:
    """Else a clock that was set back would have the same read again for ever."""
    saved.done(make.read_again(saved, 20, before=LATER))

    assert found(saved)[20][0] == LATER


@pytest.fixture
def demoted(saved: Any, make: Any) -> Any:
    """Checkpoint 20 keeps its weights only."""
    saved.done(make.demote(read(weights(saved, make, 20).with_name("manifest.json"), Manifest)))
    return saved


def test_a_full_form_in_the_trash_is_read_and_its_tombstone_says_so(demoted: Any, make: Any) -> None:
    demoted.done(make.read_full_form(demoted), now=lambda: LATER)

    (stone,) = demoted.view().trash
    assert (stone.verified_at, stone.damage) == (LATER, None)
    assert demoted.json(demoted.layout.root / f"{stone.path}.json")["verified_at"] == LATER
    assert found(demoted)[20] == (None, None)


def test_damage_of_a_full_form_is_a_finding_of_it_and_not_of_the_weights(demoted: Any, make: Any) -> None:
    (stone,) = demoted.view().trash
    state = demoted.layout.root / stone.path / "optimizer.safetensors"
    state.chmod(0o600)
    state.write_bytes(b"STATE")

    demoted.done(make.read_full_form(demoted))

    (stone,) = demoted.view().trash
    assert str(stone.damage).startswith("optimizer.safetensors has BLAKE3")
    assert found(demoted)[20] == (None, None)


def test_what_was_deleted_with_its_campaign_is_read_in_the_trash(saved: Any, make: Any) -> None:
    manifests = [read(weights(saved, make, step).with_name("manifest.json"), Manifest) for step in (20, 40)]
    scrub = make.read_again(saved, 20)
    saved.done(make.activate(make.other, make.campaign), make.delete(*manifests))
    (stone,) = saved.view().trash
    folder = saved.layout.root / stone.path / "checkpoints" / "checkpoint-20"
    reading = msgspec.structs.replace(
        scrub.readings[0], place="trash", path=str(folder.relative_to(saved.layout.root))
    )
    scrub = msgspec.structs.replace(scrub, readings=(reading,))
    saved.done(scrub, now=lambda: LATER)
    assert found(saved)[20] == (LATER, None)

    (folder / "optimizer.safetensors").unlink()
    saved.done(scrub)

    assert found(saved)[20][1] == "optimizer.safetensors is missing"


def copy_read(realm: Any, make: Any) -> Any:
    """Return what reads the copy of checkpoint 20 elsewhere again."""
    scrub, (copy,) = make.read_again(realm, 20), realm.view().copies
    reading = msgspec.structs.replace(scrub.readings[0], place="copy", path=copy.path)
    return msgspec.structs.replace(scrub, readings=(reading,))


@pytest.mark.parametrize(
    "damage", [None, "model.safetensors is missing"], ids=["right before", "damaged before"]
)
def test_a_copy_whose_disk_is_away_is_out_of_reach_and_nothing_is_known_against_it(
    saved: Any, make: Any, damage: str | None
) -> None:
    saved.done(make.copy_out(saved, read(weights(saved, make, 20).with_name("manifest.json"), Manifest)))
    copy = Path(saved.view().copies[0].path)
    kept = copy / "model.safetensors"
    if damage:
        kept.rename(copy.parent / "aside")
        saved.done(copy_read(saved, make))
    disk = copy.parent.parent.parent
    disk.rename(disk.with_name("unmounted"))

    (said,) = saved.done(copy_read(saved, make), now=lambda: LATER)

    (row,) = saved.view().copies
    assert (row.damage, row.checked_at) == (damage, LATER)
    assert row.unreachable == f"{copy.parent} is not there: is its disk mounted?"
    assert f"out of reach: {row.unreachable}" in said
    disk.with_name("unmounted").rename(disk)
    if damage:
        (copy.parent / "aside").rename(kept)
    saved.done(copy_read(saved, make))
    (row,) = saved.view().copies
    assert (row.damage, row.unreachable) == (None, None)


def test_a_copy_that_is_gone_from_a_disk_that_is_there_is_missing(saved: Any, make: Any) -> None:
    saved.done(make.copy_out(saved, read(weights(saved, make, 20).with_name("manifest.json"), Manifest)))
    copy = Path(saved.view().copies[0].path)
    copy.rename(copy.with_name("elsewhere"))

    saved.done(copy_read(saved, make))

    (row,) = saved.view().copies
    assert (row.damage, row.unreachable) == ("checkpoint-20 is missing", None)


def test_a_disk_that_goes_away_while_a_copy_is_read_leaves_nothing_known_against_it(
    saved: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved.done(make.copy_out(saved, read(weights(saved, make, 20).with_name("manifest.json"), Manifest)))

    def gone(_file: object) -> int:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(rereading.Rereading, "read_on", gone)
    saved.done(copy_read(saved, make))

    (row,) = saved.view().copies
    assert (row.damage, "not connected" in str(row.unreachable)) == (None, True)
