"""A checkpoint of 10 GB dropped into the trash: the whole action, from its intent to the end, with every sync.

Three are dropped, one after another, in a realm of their own. The files are sparse, since a drop looks at their
sizes and renames their folder. Goal: 50 ms.
"""

import os
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
from blake3 import blake3

from state.contract.manifest import FileEntry, Manifest, with_digest

sys.path.append(str(Path(__file__).parents[1] / "reconciler" / "act"))  # a small realm, as tests use it

from tiny_actions import Builders, activate, register
from workshop import Workshop

DROP_BYTES = 10 * 10**9


def measure(folder: Path) -> Iterator[str]:
    realm = Workshop(folder / "realm" / "root")
    realm.layout.root.parent.mkdir()
    realm.found()
    realm.done(register(), activate())
    saved = [large_checkpoint(realm, step) for step in (1, 2, 3, 4)]
    realm.done(*(Builders.record(manifest) for manifest in saved))
    seconds, cpu = [], []
    for sequence, manifest in enumerate(saved[:3], 1):
        moments: list[tuple[float, float]] = []
        realm.before_leaving = lambda moments=moments: moments.append(
            (time.perf_counter(), time.process_time())
        )
        dropping = Builders.drop(manifest, sequence)
        realm.done(dropping, before=realm.before_leaving)
        begun, ended = moments
        seconds.append(ended[0] - begun[0])
        cpu.append(ended[1] - begun[1])
    low, high = min(seconds) * 1000, max(seconds) * 1000
    yield (
        f"{low:6.1f} to {high:.1f} ms to drop {DROP_BYTES / 1e9:.0f} GB, with intent, tombstone, rename, the files that "
        f"tell of it and every sync (goal: 50 ms; {min(cpu) * 1000:.1f} ms of CPU, one sync alone {sync_seconds(folder) * 1000:.1f} ms)"
    )


def large_checkpoint(realm: Workshop, step: int) -> Manifest:
    """Publish a checkpoint of sparse files."""
    manifest = realm.save_checkpoint(step)
    place = realm.layout.campaign(manifest.campaign).checkpoint(step)
    sizes = {f"{number}.safetensors": DROP_BYTES // 10 for number in range(10)}
    for name, size in sizes.items():
        with (place / name).open("wb") as file:
            file.truncate(size)
        (place / name).chmod(0o400)
    entries = [
        FileEntry(path=name, size_bytes=size, blake3=digest_of_zeros()) for name, size in sizes.items()
    ]
    files = tuple(sorted((*manifest.files, *entries), key=lambda entry: entry.path))
    manifest = with_digest(msgspec.structs.replace(manifest, files=files, digest=""))
    (place / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return manifest


@cache
def digest_of_zeros() -> str:
    """Return the BLAKE3 of a tenth of it."""
    hasher, block = blake3(), bytes(10**6)
    for _ in range(DROP_BYTES // 10 // len(block)):
        hasher.update(block)
    return str(hasher.hexdigest())


def sync_seconds(folder: Path) -> float:
    """Return how long a small new file takes to be on the disk, at best of ten."""
    best = 1e9
    for number in range(10):
        with (folder / f"small-{number}").open("wb") as file:
            file.write(b"x")
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            best = min(best, time.perf_counter() - begun)
    return best
