"""A manifest that lies, with a digest that is right: its checkpoint is foreign, and nothing that it names is touched."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.observed.belongings import belongings_of_campaign
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.observed.start_folders import observe_start_folder
from state.contract.manifest import FileEntry, Manifest, with_digest

Lie = Callable[[tuple[FileEntry, ...], Path], tuple[FileEntry, ...]]
CANARY = b"of somebody else"
HUGE = 2**53 - 1


def entry(path: str, size_bytes: int = len(CANARY)) -> FileEntry:
    return FileEntry(path=path, size_bytes=size_bytes, blake3="0" * 64)


LIES: dict[str, tuple[Lie, str]] = {
    "a-smaller-size": (lambda files, _: (entry(files[0].path, 1), *files[1:]), "has 63 bytes, the manifest says 1"),
    "a-huge-size": (lambda files, _: (entry(files[0].path, HUGE), *files[1:]), f"the manifest says {HUGE}"),
    "a-file-that-is-not-there": (lambda files, _: (*files, entry("more.bin")), "more.bin is missing"),
    "a-file-left-out": (lambda files, _: files[1:], "is not in the manifest"),
    "a-name-twice": (lambda files, _: (*files, files[0]), "lists a file twice"),
    "a-way-out": (lambda files, _: (*files, entry("../canary")), "is no file of a checkpoint"),
    "a-way-out-and-back": (
        lambda files, _: (*files, entry("../checkpoint-7/model.safetensors")), "is no file of a checkpoint"
    ),
    "an-absolute-path": (lambda files, outside: (*files, entry(str(outside))), "is no file of a checkpoint"),
    "itself": (lambda files, _: (*files, entry("manifest.json")), "is no file of a checkpoint"),
    "the-sidecar": (lambda files, _: (*files, entry(".ledger.json")), "is no file of a checkpoint"),
    "no-name": (lambda files, _: (*files, entry("")), "is no file of a checkpoint"),
    "a-nul": (lambda files, _: (*files, entry("a\0b")), "is no file of a checkpoint"),
    "nothing": (lambda _files, _: (), "lists no file"),
}  # fmt: skip


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary"
    path.write_bytes(CANARY)
    return path


def lie_in(folder: Path, lie: Lie, canary: Path) -> Manifest:
    """Let the manifest of a saved checkpoint lie, and fit its own digest."""
    path = folder / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    manifest = with_digest(msgspec.structs.replace(manifest, files=lie(manifest.files, canary)))
    path.write_bytes(msgspec.json.encode(manifest))
    (folder.parent / "canary").write_bytes(CANARY)
    return manifest


@pytest.mark.parametrize(("lie", "reason"), LIES.values(), ids=LIES.keys())
def test_a_manifest_that_lies_makes_its_folder_foreign_wherever_it_is_read(
    lie: Lie, reason: str, realm: Any, make: Any, canary: Path
) -> None:
    realm.save_checkpoint(7)
    places = realm.layout.campaign(make.campaign)
    manifest = lie_in(places.checkpoint(7), lie, canary)

    seen = observe_checkpoints(places.checkpoints, realm.layout.root, make.uid)
    failed = realm.fails(make.record(manifest))
    taken_in = observe_start_folder(str(places.checkpoint(7)))
    ours = belongings_of_campaign(places.folder, realm.layout.root, make.uid, ()).ours

    assert seen.complete == ()
    assert [reason in one.reason for one in seen.foreign if one.name == "checkpoint-7"] == [True]
    assert "not there with digest" in failed.text
    assert taken_in.problem is not None
    assert not [one.path for one in ours if "canary" in one.path or ".." in one.path]
    assert realm.view().ledger == ()
    assert (canary.read_bytes(), (places.checkpoints / "canary").read_bytes()) == (CANARY, CANARY)


@pytest.mark.parametrize(
    "number", ["-1", "1e400", "9223372036854775808", "1" + "0" * 4000, "1.5", '"7"', "true"]
)
@pytest.mark.parametrize("field", ["size_bytes", "step"])
def test_a_number_that_is_none_makes_a_manifest_foreign(
    field: str, number: str, realm: Any, make: Any
) -> None:
    realm.save_checkpoint(7)
    places = realm.layout.campaign(make.campaign)
    path = places.checkpoint(7) / "manifest.json"
    size = len((places.checkpoint(7) / "model.safetensors").read_bytes())
    right = {"size_bytes": f'"size_bytes":{size}', "step": '"step":7'}[field]
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, f'"{field}":{number}', 1))

    seen = observe_checkpoints(places.checkpoints, realm.layout.root, make.uid)

    assert seen.complete == ()
    (foreign,) = seen.foreign
    assert "manifest.json" in foreign.reason
