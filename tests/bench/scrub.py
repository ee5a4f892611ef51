"""Reading a checkpoint again past the page cache: ours beside b3sum, or the blake3 package, on cold files.

Both begin with the kernel's copy of the files dropped (posix_fadvise), take turns, and read the same bytes; of
each the best of the rounds counts. Goal: at least 0.9 x as fast.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from blake3 import blake3

from reconciler.act.rereading import Reader
from reconciler.plan.actions import Reading
from state.contract.manifest import FileEntry, Manifest, Measures, with_digest
from state.contract.request import CodeVersion

FILE_BYTES, NUM_FILES, ROUNDS, CHUNK_BYTES = 128 * 2**20, 2, 5, 4 * 2**20


def measure(folder: Path) -> Iterator[str]:
    reading = checkpoint(folder / "checkpoint-1")
    files = sorted((folder / "checkpoint-1").glob("*.safetensors"))
    program = shutil.which("b3sum")
    peer = f"b3sum ({program})" if program else "the blake3 package (b3sum is absent)"
    theirs = (
        (lambda: subprocess.run([program, *files], check=True, capture_output=True))
        if program
        else (lambda: [hash_plainly(path) for path in files])
    )
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, read in (("ours", lambda: read_again(reading, folder)), ("theirs", theirs)):
            best[name] = min(best.get(name, 1e9), cold_seconds(read, files))
    size = NUM_FILES * FILE_BYTES / 1e6
    yield (
        f"{size / best['ours']:6.0f} MB/s ours, {size / best['theirs']:.0f} MB/s {peer}: "
        f"{best['theirs'] / best['ours']:.2f} x (goal: 0.90)"
    )


def cold_seconds(read: Callable[[], object], files: list[Path]) -> float:
    for path in files:
        drop(path)
    begun = time.perf_counter()
    read()
    return time.perf_counter() - begun


def drop(path: Path) -> None:
    """Let the kernel forget what it has of a file."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def read_again(reading: Reading, root: Path) -> None:
    reader = Reader()
    reader.open(reading, root, skip_bytes=0)
    while not reader.is_done:
        reader.read_on()
    assert reader.damage is None, reader.damage
    reader.close()


def hash_plainly(path: Path) -> str:
    hasher = blake3()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            hasher.update(chunk)
    return hasher.hexdigest()


def checkpoint(folder: Path) -> Reading:
    """Write a checkpoint of random bytes."""
    folder.mkdir()
    entries = []
    for number in range(NUM_FILES):
        path, hasher = folder / f"{number}.safetensors", blake3()
        with path.open("wb") as file:
            for _ in range(FILE_BYTES // CHUNK_BYTES):
                chunk = os.urandom(CHUNK_BYTES)
                hasher.update(chunk)
                file.write(chunk)
        entries.append(FileEntry(path=path.name, size_bytes=FILE_BYTES, blake3=hasher.hexdigest()))
    manifest = with_digest(
        Manifest(
            campaign_uid="u", campaign="a/b", segment=1, step=1, parent_step=None, parent_digest=None,
            created_at="2026-01-31T12:00:00Z", generation=1, attempt=1, config_hash="h", specs_commit="c",
            code_version=CodeVersion(source="git", commit="c"), optimizer="adamw", healthy=True, quest_id=None,
            cursor=(), learnt=(), files=tuple(entries), digest="",
            measures=Measures(train_loss=1.0, val_loss=None, learning_rate=0.1, examples_seen=1, tokens_seen=1),
        )
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return Reading(
        campaign="a/b", campaign_uid="u", sequence=1, which="1", place="home", path=folder.name,
        digest=manifest.digest, size_bytes=NUM_FILES * FILE_BYTES,
    )  # fmt: skip
