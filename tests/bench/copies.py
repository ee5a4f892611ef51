"""A copy of a checkpoint elsewhere beside `cp -a` and a verifying read; a drop; and what the journal costs.

Copying: both begin with cold files and end with every byte synced and read back past the cache; they take turns,
and the best of the rounds counts. Goal: at least 0.8 x as fast. A drop of 10 GB within
50 ms: the whole action, from its intent to the end, with every sync; the files are sparse, since a drop looks at
their sizes and renames their folder. The journal costs an action at most 2 ms beside its two syncs.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import apsw
import msgspec
import scrub
from blake3 import blake3

from reconciler.act import copying, protocol
from reconciler.act.read_back import wrong_in
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.plan import actions as a
from state.contract.files import read
from state.contract.manifest import FileEntry, Manifest, with_digest
from state.layout import Layout
from state.store.connection import open_writer
from state.store.rows import ActionRow
from state.store.tables import put
from state.store.writer import Writer

ROUNDS, DROP_BYTES, NUM_ACTIONS = 5, 10 * 10**9, 100


def measure(folder: Path) -> Iterator[str]:
    yield copying_line(folder)
    yield drop_line(folder)
    yield journal_line(folder)


def copying_line(folder: Path) -> str:
    source = folder / "checkpoint-1"
    scrub.checkpoint(source)
    manifest = read(source / "manifest.json", Manifest)
    (found,) = observe_checkpoints(folder, folder.parent).complete
    layout = Layout(folder / "root")
    tools = Tools(layout=layout, writer=Writer(open_writer(folder / "copies.db")), launcher=None, now=str)
    action = a.CopyCheckpoint(
        campaign="a/b", campaign_uid="u", sequence=1, step=1, digest=found.digest,
        size_bytes=found.size_bytes, to=str(folder), kind="export",
    )  # fmt: skip
    made = {"ours": folder / "a" / "b" / "checkpoint-1", "theirs": folder / "theirs"}
    copies = {
        "ours": lambda: copying._make(action, tools, found, made["ours"]),
        "theirs": lambda: copy_plainly(source, made["theirs"], manifest),
    }
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, copy in copies.items():
            best[name] = min(best.get(name, 1e9), scrub.cold_seconds(copy, sorted(source.iterdir())))
            shutil.rmtree(made[name])
    size = found.size_bytes / 1e6
    return (
        f"{size / best['ours']:6.0f} MB/s copied and read back, {size / best['theirs']:.0f} MB/s cp -a, sync and a "
        f"verifying read: {best['theirs'] / best['ours']:.2f} x (goal: 0.80)"
    )


def copy_plainly(source: Path, target: Path, manifest: Manifest) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)
    subprocess.run(["sync", *sorted(target.iterdir())], check=True)
    assert wrong_in(target, manifest) is None


def drop_line(folder: Path) -> str:
    """Drop three checkpoints, one after another, in a realm of their own."""
    sys.path.append(str(Path(__file__).parents[1] / "reconciler" / "act"))
    from workshop import Builders, Workshop, activate, register  # a small realm, as tests use it

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
    return (
        f"{low:6.1f} to {high:.1f} ms to drop {DROP_BYTES / 1e9:.0f} GB, with intent, tombstone, rename, the files that "
        f"tell of it and every sync (goal: 50 ms; {min(cpu) * 1000:.1f} ms of CPU, one sync alone {sync_seconds(folder) * 1000:.1f} ms)"
    )


def large_checkpoint(realm: Any, step: int) -> Manifest:
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


def journal_line(folder: Path) -> str:
    """Begin and end actions that do nothing, beside as many bare commits of the same rows."""
    ours, bare = open_writer(folder / "ours.db"), open_writer(folder / "bare.db")
    journal = protocol.Journal(Writer(ours), "c" * 40)
    change = protocol.Change(
        id="sha256:1",
        action=a.WriteQueueFolders(),
        subject="thing",
        reason="because",
        cause="specs",
        source="edit",
    )
    row = ActionRow(
        number=1, id="sha256:1", kind="k", subject="s", payload_json="{}", reason="r", cause="c",
        specs_commit="c", state="intent", epoch=1, begun_at="n",
    )  # fmt: skip
    with_journal = cpu_seconds(lambda: journal.end(journal.begin(change, "now"), "done", "done", "now"))
    commits = cpu_seconds(lambda: [commit(bare, row) for _ in range(2)])
    return (
        f"{with_journal * 1000:6.2f} ms of CPU a journalled action, its two commits included; those alone "
        f"{commits * 1000:.2f} ms (goal: 2 ms beside the syncs)"
    )


def commit(store: apsw.Connection, row: ActionRow) -> None:
    store.execute("BEGIN IMMEDIATE")
    put(store, [row])
    store.execute("COMMIT")


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return what one call costs without the waits for the disk, which are the syncs."""
    begun = time.process_time()
    for _ in range(NUM_ACTIONS):
        work()
    return (time.process_time() - begun) / NUM_ACTIONS
