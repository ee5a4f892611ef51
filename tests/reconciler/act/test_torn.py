"""What is left of a checkpoint is set aside, where it is ours for sure, and made whole again from a copy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.observed.checkpoints import find_damage
from state.contract.manifest import MANIFEST_NAME, SIDECAR_NAME


def checkpoints(realm: Any, make: Any) -> Path:
    return realm.layout.campaign(make.campaign).checkpoints


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("how", ["torn", "without its manifest", "with a manifest of garbage", "emptied"])
def test_what_is_left_of_one_is_set_aside_untouched_and_made_whole_from_its_copy(
    how: str, realm: Any, make: Any
) -> None:
    manifest = exported_and_torn(realm, make, how)
    place = checkpoints(realm, make) / "checkpoint-7"
    before = contents(place)

    aside, _ = realm.done(make.set_aside(manifest), make.mend(realm, manifest))

    assert contents(place.parent / aside.removeprefix("kept as ")) == before
    assert find_damage(place, manifest) == ()
    row = realm.view().ledger[0]
    assert (row.step, row.damage, row.healthy) == (7, None, True)


@pytest.mark.parametrize(
    "how", ["of a newer software", "with a newer sidecar", "a link", "a strange folder in it", "of nobody"]
)
def test_what_may_not_be_what_is_left_of_one_stays_where_it_is(how: str, realm: Any, make: Any) -> None:
    manifest = exported_and_torn(realm, make, how)

    outcome = realm.fails(make.set_aside(manifest))

    assert "checkpoint-7 is not what is left of it any more" in outcome.text
    assert realm.view().ledger[0].damage is None
    assert not list(checkpoints(realm, make).glob(".damaged-*"))


def exported_and_torn(realm: Any, make: Any, how: str) -> Any:
    """Checkpoint 7 was recorded and exported; then this happened to it."""
    manifest = realm.save_checkpoint(7)
    realm.done(make.record(manifest), make.copy_out(realm, manifest))
    place = checkpoints(realm, make) / "checkpoint-7"
    for path in (place, *place.iterdir()):
        path.chmod(0o700)
    tear(place, how)
    return manifest


def tear(place: Path, how: str) -> None:
    kept, sidecar = place / MANIFEST_NAME, place / SIDECAR_NAME
    if how in ("torn", "with a newer sidecar", "a strange folder in it"):
        (place / "model.safetensors").write_bytes(b"")
    if how in ("without its manifest", "of nobody"):
        kept.unlink()
    if how == "with a manifest of garbage":
        kept.write_bytes(b"\0garbage")
    if how == "emptied":
        empty(place)
    if how in STRANGE:
        STRANGE[how](place, kept, sidecar)


def empty(place: Path) -> None:
    for path in place.iterdir():
        path.unlink()


def replace(path: Path, old: bytes, new: bytes) -> None:
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))


def move_and_link(place: Path) -> None:
    place.rename(place.parent.parent / "moved")
    place.symlink_to(place.parent.parent / "moved")


STRANGE: dict[str, Callable[[Path, Path, Path], object]] = {
    "of a newer software": lambda _, kept, __: replace(kept, b'"schema_version":', b'"schema_version":9'),
    "with a newer sidecar": lambda _, __, sidecar: replace(
        sidecar, b'"ledger_version": "', b'"ledger_version": "9'
    ),
    "a link": lambda place, _, __: move_and_link(place),
    "a strange folder in it": lambda place, _, __: (place / "notes").mkdir(),
    "of nobody": lambda _, __, sidecar: sidecar.unlink(),
}
