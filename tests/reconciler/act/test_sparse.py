"""A checkpoint with a sparse file: hashed, copied, read again without its length in memory, or on the disk."""

import os
import resource
from pathlib import Path
from typing import Any

import msgspec
import pytest
from blake3 import blake3
from children import in_child

from reconciler.act.rereading import Reader
from state.contract.manifest import FileEntry, Manifest, with_digest
from state.copies import copy_hashed, hash_file

MIB, GIB = 1 << 20, 1 << 30
HUGE_BYTES = 64 * GIB
MORE_MEMORY_BYTES = 2 * GIB
"""Of addresses, above what the process has: a small part of the file."""


def room_bytes(path: Path) -> int:
    return path.stat().st_blocks * 512


@pytest.mark.parametrize(
    "parts",
    [
        [(0, b"begin"), (50 * MIB, b"end")],
        [(20 * MIB, b"middle")],
        [(4 * MIB - 1, b"ab"), (12 * MIB, b"c")],
        [],
    ],
    ids=["both-ends", "middle", "across-blocks", "nothing"],
)
def test_a_copy_of_a_sparse_file_has_its_length_and_content_and_takes_no_more_room(
    parts: list[tuple[int, bytes]], tmp_path: Path
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    with source.open("wb") as file:
        for at, content in parts:
            file.seek(at)
            file.write(content)
        file.truncate(50 * MIB + 3)

    said = copy_hashed(os.open(source, os.O_RDONLY), target)

    content = source.read_bytes()
    assert target.read_bytes() == content
    assert said == hash_file(target) == (len(content), blake3(content).hexdigest())
    assert room_bytes(target) <= 16 * MIB  # a block for each end of a part that it touches, and the last one


def sparse_checkpoint(realm: Any, make: Any, size_bytes: int) -> Manifest:
    """Let the weights of a saved checkpoint end with a hole."""
    realm.save_checkpoint(7)
    folder = realm.layout.campaign(make.campaign).checkpoint(7)
    weights = folder / "model.safetensors"
    weights.chmod(0o600)
    content, zeros = weights.read_bytes(), bytes(64 * MIB)
    hasher = blake3(content)  # its threads would not be there in the forked child
    for done in range(len(content), size_bytes, len(zeros)):
        hasher.update(zeros[: size_bytes - done])
    os.truncate(weights, size_bytes)
    listed = FileEntry(path=weights.name, size_bytes=size_bytes, blake3=hasher.hexdigest())
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    files = tuple(listed if one.path == weights.name else one for one in manifest.files)
    manifest = with_digest(msgspec.structs.replace(manifest, files=files))
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return manifest


def limit_memory() -> None:
    """Let this process take only a little more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + MORE_MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_file_of_64_gb_is_recorded_copied_read_again_and_dropped_under_a_memory_limit(
    realm: Any, make: Any
) -> None:
    manifest = sparse_checkpoint(realm, make, HUGE_BYTES)

    def work() -> None:
        limit_memory()
        realm.done(make.record(manifest), make.record(realm.save_checkpoint(9)))
        realm.done(make.copy_out(realm, manifest))
        reader = Reader()
        reader.open(make.read_again(realm, 7).readings[0], realm.layout.root, skip_bytes=0)
        while not reader.is_done:
            reader.read_on()
        assert reader.damage is None
        realm.done(make.drop(manifest))

    assert in_child(work, deadline_seconds=3000) == 0
    assert [row["damage"] for row in realm.rows("ledger")] == [None, None]
    copies = list((realm.layout.root.parent).rglob("model.safetensors"))
    huge = [path for path in copies if path.stat().st_size == HUGE_BYTES]
    assert len(huge) == 2
    assert max(map(room_bytes, huge)) < 16 * MIB
